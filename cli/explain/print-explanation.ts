import type { Terminal } from "../terminal/terminal.ts";
import type { EventExplanation, ExplainedSync, ExplainedTrigger } from "./explain-event.ts";

export function printExplanation({ paint }: Pick<Terminal, "paint">, event: EventExplanation): string {
  switch (event.verdict) {
    case "sync": {
      const hints = [
        ...(event.versionId === undefined ? [] : [`version ${event.versionId}`]),
        ...(event.occurredAt === undefined ? [] : [`at ${event.occurredAt}`]),
      ];
      return [
        `${paint("green", "syncs")}: ${event.says}${hints.length > 0 ? ` (${hints.join(", ")})` : ""}`,
        ...event.syncs.flatMap(printSync),
        ...event.triggers.map(printTrigger),
      ].join("\n");
    }
    case "not-bound":
      return `${paint("yellow", "does nothing")}: ${event.says}\n  ${event.advice}`;
    case "alarm":
      return event.isBound
        ? `${paint("yellow", "raises an alarm")}: ${event.says}: ${event.source}\n  Nothing is written, because the current version has not changed.`
        : `${paint("dim", "does nothing")}: ${event.says}: ${event.source}, which no binding names`;
    case "ignored":
      return `${paint("dim", "ignores it")}, ${event.code}: ${event.says}`;
    case "rejected": {
      const failure = event.failsInvocation ? " The invocation fails, so the caller receives an error." : "";
      return `${paint("red", "rejects it")}, ${event.code}: ${event.says}${failure}\n  ${event.advice}`;
    }
  }
}

function printSync({ source, targets }: ExplainedSync): string[] {
  const lines = targets.map(({ cluster, namespace, name, afterwards }) => {
    return `    ${cluster}: ${namespace}/${name}${afterwards.length > 0 ? `, then ${afterwards.join(", ")}` : ""}`;
  });
  return [`  reads the current value of ${source}, and writes it to these Secrets if it differs:`, ...lines];
}

function printTrigger({ cluster, namespaces }: ExplainedTrigger): string {
  const where = namespaces === "all" ? "any namespace" : namespaces.join(", ");
  return `  ${cluster}: refreshes the affected ExternalSecrets and PushSecrets in ${where}`;
}
