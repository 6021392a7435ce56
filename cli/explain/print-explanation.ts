import type { Terminal } from "../terminal/terminal.ts";
import type { EventExplanation, ExplainedSync, ExplainedTrigger } from "./explain-event.ts";

/** One explanation in a few lines; `terminal` for its colours. */
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
        ? `${paint("yellow", "raises an alarm")}: ${event.says}: ${event.source}\n  Nothing is written: what was current still is.`
        : `${paint("dim", "does nothing")}: ${event.says}: ${event.source}, which no binding names`;
    case "ignored":
      return `${paint("dim", "ignores it")}, ${event.code}: ${event.says}`;
    case "rejected": {
      const fate = event.failsInvocation ? " The invocation fails, so that the caller learns of it." : "";
      return `${paint("red", "rejects it")}, ${event.code}: ${event.says}${fate}\n  ${event.advice}`;
    }
  }
}

function printSync({ source, targets }: ExplainedSync): string[] {
  const lines = targets.map(({ cluster, namespace, name, afterwards }) => {
    return `    ${cluster}: ${namespace}/${name}${afterwards.length > 0 ? `, then ${afterwards.join(", ")}` : ""}`;
  });
  return [`  reads what is current of ${source}, and writes it where it differs:`, ...lines];
}

function printTrigger({ cluster, namespaces }: ExplainedTrigger): string {
  const where = namespaces === "all" ? "any namespace" : namespaces.join(", ");
  return `  ${cluster}: makes the ExternalSecrets and PushSecrets that it concerns refresh, in ${where}`;
}
