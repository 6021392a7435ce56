import { affectedBindings, eachBindingOnce } from "../../shared/bindings/affected-bindings.ts";
import type { Binding, CompiledBindings, TargetRef } from "../../shared/bindings/binding.ts";
import {
  type BindingIndex,
  createBindingIndex,
  type SourceBindings,
} from "../../shared/bindings/binding-index.ts";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { IGNORED_CODES, REJECTED_CODES } from "../../shared/events/event-codes.ts";
import { parseEvents } from "../../shared/events/parse-events.ts";
import { type ParsedEvent, withoutUndefined } from "../../shared/events/parsed-event.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import { partitionOfRegion } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation, SecretReference } from "../../shared/source/secret-id.ts";

/** The reaction of the rotation function to one event. */
export type EventExplanation = { readonly eventId?: string } & (
  | {
      readonly verdict: "sync";
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
  /** A supported event of a source without a binding. */
  | { readonly verdict: "not-bound"; readonly says: string; readonly advice: string }
  /** No write, but an alarm if the source is bound. */
  | { readonly verdict: "alarm"; readonly says: string; readonly source: string; readonly isBound: boolean }
  | { readonly verdict: "ignored"; readonly code: string; readonly says: string }
  | {
      readonly verdict: "rejected";
      readonly code: string;
      readonly says: string;
      readonly advice: string;
      /** The invocation fails, so the caller receives an error. */
      readonly failsInvocation: boolean;
    }
);

export type ExplainedSync = {
  /** As the bindings name it. */
  readonly source: string;
  readonly targets: readonly (TargetRef & { readonly afterwards: readonly string[] })[];
};

export type ExplainedTrigger = { readonly cluster: string; readonly namespaces: "all" | readonly string[] };

/** Explains every event of an input, with the parser and lookup of the function. Pure. */
export function explainEvents(
  input: unknown,
  bindings: CompiledBindings,
  now: number,
  self?: AwsLocation,
): readonly EventExplanation[] {
  return parseEvents(input, now).map((event) => explain(event, bindings, self));
}

function explain(event: ParsedEvent, bindings: CompiledBindings, self?: AwsLocation): EventExplanation {
  const indexFor = (source: SecretReference | undefined) =>
    createBindingIndex(bindings, self ?? locationOf(source, bindings));
  switch (event.kind) {
    case "change":
      return explainChange(event.change, indexFor(event.change.source));
    case "webhook-call":
      return explainWebhookCall(event.webhookId, indexFor(undefined));
    case "signal": {
      const { source, eventId } = event;
      const says = event.signal === "rotation-failed" ? "A rotation failed" : "A rotation was abandoned";
      const isBound = indexFor(source).find(source).length > 0;
      return { verdict: "alarm", says, source: source.id, isBound, ...withoutUndefined({ eventId }) };
    }
    case "ignored": {
      const { code, eventId } = event;
      return { verdict: "ignored", code, says: IGNORED_CODES[code], ...withoutUndefined({ eventId }) };
    }
    case "rejected": {
      const { code, advice, mustFail: failsInvocation, eventId } = event;
      const says = REJECTED_CODES[code].meaning;
      return { verdict: "rejected", code, says, advice, failsInvocation, ...withoutUndefined({ eventId }) };
    }
  }
}

function explainChange(change: SecretChange, index: BindingIndex): EventExplanation {
  const { source, reason, labels, versionId, occurredAt, eventId } = change;
  const moved = labels === undefined ? DESCRIPTIONS[reason] : `The label ${labels.join(", ")} moved`;
  const says = `${moved}: ${source.id}`;
  const found = index.find(source);
  const triggers = triggersOf(index);
  if (found.length === 0 && triggers.length === 0) {
    return { verdict: "not-bound", says, advice: adviceFor(source, index), ...withoutUndefined({ eventId }) };
  }
  const affected = eachBindingOnce(affectedBindings(found, change));
  if (affected.length === 0 && triggers.length === 0) {
    const code = "OTHER_LABEL";
    return { verdict: "ignored", code, says: IGNORED_CODES[code], ...withoutUndefined({ eventId }) };
  }
  const at = occurredAt === undefined ? undefined : new Date(occurredAt).toISOString();
  return {
    verdict: "sync",
    says,
    reason,
    source: source.id,
    syncs: affected.map(syncOf),
    triggers,
    ...withoutUndefined({ versionId, occurredAt: at, eventId }),
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
  const suggestion = suggestName(webhookId, known);
  const advice = `No binding has it.${suggestion ? ` Did you mean ${suggestion}?` : " Set webhookId on a binding."}`;
  return { verdict: "not-bound", says, advice };
}

function adviceFor({ id, names }: SecretReference, { sources }: BindingIndex): string {
  const elsewhere = sources.find(({ source }) => source.names.some((name) => names.includes(name)));
  if (elsewhere !== undefined) {
    return `The bindings name ${elsewhere.source.id}, in another account or Region, or another secret. Bind ${id}, or exclude this event from the rule.`;
  }
  const known = sources.flatMap(({ source }) => source.names);
  const suggestion = names.map((name) => suggestName(name, known)).find((found) => found !== undefined);
  return `No binding names it.${suggestion ? ` Did you mean ${suggestion}?` : ""} Add a binding, or ignore this: the relay skips the event.`;
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

/** By default the relay is in the account and Region of the source, so names in the bindings match it. */
function locationOf(source: SecretReference | undefined, { clusters }: CompiledBindings): AwsLocation {
  const region = Object.values(clusters)[0]?.region ?? "us-east-1";
  return source?.location ?? { partition: partitionOfRegion(region), region, accountId: "000000000000" };
}

const DESCRIPTIONS: Readonly<Record<SecretChange["reason"], string>> = {
  "label-updated": "The label AWSCURRENT moved",
  "put-secret-value": "A new value was put under AWSCURRENT",
  "update-secret": "The secret was updated",
  "update-secret-version-stage": "AWSCURRENT was moved manually or by a rotation",
  "create-secret": "The secret was created",
  "restore-secret": "The secret was restored",
  "delete-secret": "The secret was deleted",
  "rotation-succeeded": "A rotation ended",
  direct: "A direct call names the source",
  webhook: "A webhook names the source",
};
