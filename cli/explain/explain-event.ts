import type { Binding, CompiledBindings, TargetRef } from "../../shared/bindings/binding.ts";
import {
  type BindingIndex,
  createBindingIndex,
  type SourceBindings,
} from "../../shared/bindings/binding-index.ts";
import { bindingsConcerned, eachBindingOnce } from "../../shared/bindings/followers.ts";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { IGNORED_CODES, REJECTED_CODES } from "../../shared/events/event-codes.ts";
import { parseEvents } from "../../shared/events/parse-events.ts";
import { given, type ParsedEvent } from "../../shared/events/parsed-event.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import { partitionOfRegion } from "../../shared/secret-id/parse-secret-home.ts";
import type { SecretHome, SecretReference } from "../../shared/secret-id/secret-id.ts";

/** What the rotation function would do with one event, and why. */
export type EventExplanation = { readonly eventId?: string } & (
  | {
      readonly verdict: "sync";
      /** What the event says. */
      readonly says: string;
      readonly reason: SecretChange["reason"];
      /** As the event names it; absent for a call by webhook id. */
      readonly source?: string;
      readonly versionId?: string;
      readonly occurredAt?: string;
      readonly syncs: readonly ExplainedSync[];
      /** Clusters in which objects of External Secrets Operator that read the source are made to refresh. */
      readonly triggers: readonly ExplainedTrigger[];
    }
  /** Of the right kind, about something that no binding names. */
  | { readonly verdict: "not-bound"; readonly says: string; readonly advice: string }
  /** Nothing to write, and an alarm where the source is bound. */
  | { readonly verdict: "alarm"; readonly says: string; readonly source: string; readonly isBound: boolean }
  | { readonly verdict: "ignored"; readonly code: string; readonly says: string }
  | {
      readonly verdict: "rejected";
      readonly code: string;
      readonly says: string;
      readonly advice: string;
      /** The invocation fails, so that whoever called learns of it. */
      readonly failsInvocation: boolean;
    }
);

export type ExplainedSync = {
  /** As the bindings name it. */
  readonly source: string;
  readonly targets: readonly (TargetRef & { readonly afterwards: readonly string[] })[];
};

export type ExplainedTrigger = { readonly cluster: string; readonly namespaces: "all" | readonly string[] };

/** Every event of one input; the same parsing and the same look-up as in the function. Pure. */
export function explainEvents(
  input: unknown,
  bindings: CompiledBindings,
  now: number,
  self?: SecretHome,
): readonly EventExplanation[] {
  return parseEvents(input, now).map((event) => explain(event, bindings, self));
}

function explain(event: ParsedEvent, bindings: CompiledBindings, self?: SecretHome): EventExplanation {
  switch (event.kind) {
    case "change":
      return explainChange(
        event.change,
        createBindingIndex(bindings, self ?? homeOf(event.change.source, bindings)),
      );
    case "webhook-call":
      return explainWebhookCall(
        event.webhookId,
        createBindingIndex(bindings, self ?? homeOf(undefined, bindings)),
      );
    case "signal": {
      const index = createBindingIndex(bindings, self ?? homeOf(event.source, bindings));
      const says = event.signal === "rotation-failed" ? "A rotation failed" : "A rotation was abandoned";
      const isBound = index.find(event.source).length > 0;
      return {
        verdict: "alarm",
        says,
        source: event.source.id,
        isBound,
        ...given({ eventId: event.eventId }),
      };
    }
    case "ignored": {
      const { code, eventId } = event;
      return { verdict: "ignored", code, says: IGNORED_CODES[code], ...given({ eventId }) };
    }
    case "rejected": {
      const { code, advice, mustFail: failsInvocation, eventId } = event;
      const says = REJECTED_CODES[code].meaning;
      return { verdict: "rejected", code, says, advice, failsInvocation, ...given({ eventId }) };
    }
  }
}

function explainChange(change: SecretChange, index: BindingIndex): EventExplanation {
  const { source, reason, labels, versionId, occurredAt, eventId } = change;
  const moved = labels === undefined ? SAYS[reason] : `The label ${labels.join(", ")} moved`;
  const says = `${moved}: ${source.id}`;
  const found = index.find(source);
  const triggers = triggersOf(index);
  if (found.length === 0 && triggers.length === 0) {
    return { verdict: "not-bound", says, advice: adviceFor(source, index), ...given({ eventId }) };
  }
  const concerned = eachBindingOnce(bindingsConcerned(found, change));
  if (concerned.length === 0 && triggers.length === 0) {
    return {
      verdict: "ignored",
      code: "OTHER_LABEL",
      says: IGNORED_CODES.OTHER_LABEL,
      ...given({ eventId }),
    };
  }
  const at = occurredAt === undefined ? undefined : new Date(occurredAt).toISOString();
  return {
    verdict: "sync",
    says,
    reason,
    source: source.id,
    syncs: concerned.map(syncOf),
    triggers,
    ...given({ versionId, occurredAt: at, eventId }),
  };
}

function explainWebhookCall(webhookId: string, index: BindingIndex): EventExplanation {
  const says = `A call names the bindings with webhookId ${webhookId}`;
  const found = index.findByWebhookId(webhookId);
  const triggers = triggersOf(index);
  if (found.length > 0 || triggers.length > 0) {
    return { verdict: "sync", says, reason: "webhook", syncs: eachBindingOnce(found).map(syncOf), triggers };
  }
  const known = index.bindings.flatMap((binding) => binding.webhookId ?? []);
  const meant = suggestName(webhookId, known);
  const advice = `No binding has it.${meant ? ` Did you mean ${meant}?` : " Set webhookId on a binding."}`;
  return { verdict: "not-bound", says, advice };
}

function adviceFor({ id, names }: SecretReference, { sources }: BindingIndex): string {
  const elsewhere = sources.find(({ source }) => source.names.some((name) => names.includes(name)));
  if (elsewhere !== undefined) {
    return `The bindings name ${elsewhere.source.id}, which is another account, Region or secret. Bind ${id}, or leave this event out of the rule.`;
  }
  const known = sources.flatMap(({ source }) => source.names);
  const meant = names.map((name) => suggestName(name, known)).find((found) => found !== undefined);
  return `No binding names it.${meant ? ` Did you mean ${meant}?` : ""} Bind it, or leave it: the relay passes it over.`;
}

const syncOf = ({ source, bindings }: SourceBindings): ExplainedSync => ({
  source: source.id,
  targets: bindings.map((binding) => ({ ...binding.target, afterwards: followUpsOf(binding) })),
});

const triggersOf = ({ clusters }: BindingIndex): readonly ExplainedTrigger[] =>
  Object.entries(clusters).flatMap(([cluster, { externalSecrets }]) =>
    externalSecrets === undefined ? [] : [{ cluster, namespaces: externalSecrets.namespaces }],
  );

function followUpsOf({ restart, nudge, events }: Binding): readonly string[] {
  const workloads =
    restart === undefined || restart.workloads === "auto"
      ? "the workloads that use it"
      : restart.workloads.map(({ kind, name }) => `${kind}/${name}`).join(", ");
  return [
    ...(restart ? [`restarts ${workloads}`] : []),
    ...(nudge ? ["nudges the Pods that mount it"] : []),
    ...(events ? ["posts a Kubernetes Event"] : []),
  ];
}

/** Where the relay is taken to run when nobody says: where the source is, so that bare names in bindings mean it. */
function homeOf(source: SecretReference | undefined, { clusters }: CompiledBindings): SecretHome {
  const region = Object.values(clusters)[0]?.region ?? "us-east-1";
  return source?.home ?? { partition: partitionOfRegion(region), region, accountId: "000000000000" };
}

const SAYS: Readonly<Record<SecretChange["reason"], string>> = {
  "label-updated": "The label AWSCURRENT moved",
  "put-secret-value": "A new value was put under AWSCURRENT",
  "update-secret": "The secret was updated",
  "update-secret-version-stage": "AWSCURRENT was moved by hand or by a rotation",
  "create-secret": "The secret was created",
  "restore-secret": "The secret was restored",
  "delete-secret": "The secret was deleted",
  "rotation-succeeded": "A rotation ended",
  direct: "A direct call names the source",
  webhook: "A webhook names the source",
};
