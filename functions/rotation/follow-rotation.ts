import type { Context, SQSBatchResponse } from "aws-lambda";
import { affectedBindings, eachBindingOnce } from "../../shared/bindings/affected-bindings.ts";
import type { BindingIndex, SourceBindings } from "../../shared/bindings/binding-index.ts";
import { RulesSuperseded } from "../../shared/bindings/published/errors.ts";
import type { Subject } from "../../shared/bindings/published/rules.ts";
import { parseInvocation } from "../../shared/events/parse-invocation.ts";
import type { ParsedEvent } from "../../shared/events/parsed-event.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { functionLocation } from "../../shared/source/function-location.ts";
import { keyOfSource } from "../../shared/source/key-of-source.ts";
import type { AwsLocation, VersionId } from "../../shared/source/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { reportOutcome } from "../../shared/sync/report-outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import type { OpenRotation, RotationDependencies } from "./dependencies.ts";
import { type EventReport, type RotationReport, settle, settleBatch } from "./settle.ts";
import { triggerChange } from "./trigger-change.ts";

/**
 * A source's AWSCURRENT label moved: write the new value into every bound Kubernetes Secret.
 *
 * An event is only a hint: the relay reads the value and the live Secrets now. The invocation fails if any part of it
 * is retryable; Lambda retries it, and moves it to the failure queue after the last attempt.
 */
export const followRotation =
  ({ open, now }: OpenRotation) =>
  async (input: unknown, context: Context): Promise<RotationReport | SQSBatchResponse> => {
    const budget = startTimeBudget(context.getRemainingTimeInMillis() - REPORTING_MS);
    const invocation = parseInvocation(input, now());
    for (let generations = 1; ; generations += 1) {
      try {
        return await handleInvocation(await open(budget), invocation, context, budget);
      } catch (error) {
        // Newer bindings were published meanwhile, so everything starts again with them.
        if (!(error instanceof RulesSuperseded) || generations === GENERATIONS_MAX) throw error;
      }
    }
  };

/** Publications within one invocation. */
const GENERATIONS_MAX = 5;

async function handleInvocation(
  deps: RotationDependencies,
  invocation: Invocation,
  context: Context,
  budget: TimeBudget,
): Promise<RotationReport | SQSBatchResponse> {
  const all: Promise<unknown>[] = [];
  const sync: SyncChange = (index, change, bound) => {
    const written = syncChange(deps, index, change, bound, budget);
    if (bound.length > 0) all.push(written);
    return written;
  };
  const events =
    invocation.kind === "batch" ? invocation.items.flatMap((item) => item.events) : invocation.events;
  const found = await findBindings(deps, events, functionLocation(context), budget);
  const handle = async (event: ParsedEvent): Promise<EventReport> => {
    if (event.kind === "ignored" || event.kind === "rejected") return noteEvent(deps, event);
    const index = found.get(event);
    if (index === undefined) throw new TypeError("The bindings of every event are found first");
    return handleEvent(deps, event, context, { budget, index, sync, all });
  };
  if (invocation.kind === "batch") {
    const handleItem = async ({ messageId, events: ofItem }: BatchItem) => ({
      messageId,
      reports: await allSettled(ofItem.map(handle)),
    });
    return settleBatch(await allSettled(invocation.items.map(handleItem)));
  }
  return settle(await allSettled(invocation.events.map(handle)));
}

type Invocation = ReturnType<typeof parseInvocation>;
type BatchItem = Extract<Invocation, { kind: "batch" }>["items"][number];

/** The results, or the first error when all have ended: no work goes on while the invocation starts again. */
async function allSettled<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/**
 * The bindings that each event concerns. For an event without bindings the rules must be in force: newer ones may bind
 * its source.
 */
async function findBindings(
  { rules, checkRules }: Pick<RotationDependencies, "rules" | "checkRules">,
  events: readonly ParsedEvent[],
  self: AwsLocation,
  budget: TimeBudget,
): Promise<ReadonlyMap<ParsedEvent, BindingIndex>> {
  const found = new Map<ParsedEvent, BindingIndex>();
  await allSettled(
    events.map(async (event) => {
      if (event.kind === "ignored" || event.kind === "rejected") return;
      const subject = subjectOf(event);
      const index = await rules.find(self, subject, budget);
      const bound =
        "source" in subject ? index.find(subject.source) : index.findByWebhookId(subject.webhookId);
      const isSuperseded = bound.length === 0 && (await checkRules(budget)) === "superseded";
      if (isSuperseded) throw new RulesSuperseded();
      found.set(event, index);
    }),
  );
  return found;
}

type BoundEvent = Exclude<ParsedEvent, { kind: "ignored" | "rejected" }>;

function subjectOf(event: BoundEvent): Subject {
  if (event.kind === "webhook-call") return { webhookId: event.webhookId };
  return { source: event.kind === "change" ? event.change.source : event.source };
}

type SyncChange = (
  index: BindingIndex,
  change: SecretChange,
  bound: readonly SourceBindings[],
) => Promise<readonly SyncOutcome[]>;

/** What all events of an invocation share, with the bindings of this one. */
type EventScope = {
  readonly budget: TimeBudget;
  readonly index: BindingIndex;
  readonly sync: SyncChange;
  /** The writes of Secrets so far. */
  readonly all: readonly Promise<unknown>[];
};

async function handleEvent(
  deps: RotationDependencies,
  event: BoundEvent,
  context: Context,
  { budget, index, sync, all }: EventScope,
): Promise<EventReport> {
  const { log, measure } = deps;
  const self = functionLocation(context);
  const { awsRequestId: requestId } = context;
  switch (event.kind) {
    case "change": {
      const { change } = event;
      const bound = index.find(change.source);
      const affected = affectedBindings(bound, change);
      const isOtherLabel = bound.length > 0 && affected.length === 0;
      if (isOtherLabel) log("EVENT_IGNORED", { code: "OTHER_LABEL" });
      const ofChange = isOtherLabel ? Promise.resolve([]) : sync(index, change, affected);
      const announced = { change, webhookIds: idsOf(bound), self, requestId };
      const triggers = triggerChange(deps, index, announced, { ofChange, all }, budget);
      const [outcomes, ofEso] = await Promise.all([ofChange, triggers]);
      return { kind: "synced", outcomes, triggers: ofEso };
    }
    case "webhook-call": {
      const { webhookId } = event;
      const bound = index.findByWebhookId(webhookId);
      if (bound.length === 0) log("WEBHOOK_ID_NOT_BOUND");
      const nothing = Promise.resolve([]);
      const writes = { ofChange: nothing, all };
      const byId = triggerChange(deps, index, { webhookIds: [webhookId], self, requestId }, writes, budget);
      const once = new Map(eachBindingOnce(bound).map((group) => [group.source.id, group]));
      const works = bound.map(({ source }) => {
        const change: SecretChange = { source, reason: "webhook" };
        const own = once.get(source.id);
        const ofChange = own === undefined ? nothing : sync(index, change, [own]);
        const announced = { change, webhookIds: [], self, requestId };
        return { ofChange, triggers: triggerChange(deps, index, announced, { ofChange, all }, budget) };
      });
      const [outcomes, triggers] = await Promise.all([
        Promise.all(works.map(({ ofChange }) => ofChange)),
        Promise.all([byId, ...works.map((work) => work.triggers)]),
      ]);
      return { kind: "synced", outcomes: outcomes.flat(), triggers: triggers.flat() };
    }
    case "signal": {
      if (index.find(event.source).length === 0) return { kind: "noted" };
      log(event.signal === "rotation-failed" ? "ROTATION_FAILED" : "ROTATION_ABANDONED", {
        source: event.source.id,
      });
      measure("RotationsFailed", 1);
      return { kind: "noted" };
    }
  }
}

function noteEvent(
  { log, measure }: Pick<RotationDependencies, "log" | "measure">,
  event: Exclude<ParsedEvent, BoundEvent>,
): EventReport {
  if (event.kind === "ignored") {
    log("EVENT_IGNORED", { code: event.code });
    return { kind: "noted" };
  }
  log("EVENT_REJECTED", { code: event.code, advice: event.advice });
  measure("EventsRejected", 1, event.code);
  return { kind: "rejected", code: event.code, advice: event.advice, mustFail: event.mustFail };
}

const idsOf = (bound: readonly SourceBindings[]): readonly string[] => [
  ...new Set(bound.flatMap(({ bindings }) => bindings.flatMap(({ webhookId }) => webhookId ?? []))),
];

async function syncChange(
  deps: RotationDependencies,
  { ownMetadata }: BindingIndex,
  change: SecretChange,
  bound: readonly SourceBindings[],
  budget: TimeBudget,
) {
  const { log, measure } = deps;
  const startedAt = deps.now();
  const { id } = change.source;
  if (bound.length === 0) {
    log("SOURCE_NOT_BOUND", { source: id });
    return [];
  }
  log("SYNC_STARTED", {
    source: id,
    reason: change.reason,
    ...(change.eventId && { eventId: change.eventId }),
  });
  const { occurredAt } = change;
  const outcomes = await syncSource(deps, {
    ownMetadata,
    bindings: [...new Set(bound.flatMap(({ bindings }) => bindings))],
    budget,
    expectedVersionIds: expectedBy(change, bound),
    ...(occurredAt !== undefined && { occurredAt }),
  });
  for (const outcome of outcomes) reportOutcome(log, measure, id, outcome);
  log("SYNC_COMPLETED", { source: id, handlingMs: deps.now() - startedAt });
  return outcomes;
}

/** The event's version for each spelling of its source and each moved label. */
function expectedBy(
  { versionId, labels = ["AWSCURRENT"] }: SecretChange,
  bound: readonly SourceBindings[],
): ReadonlyMap<string, VersionId> {
  if (versionId === undefined) return new Map();
  const stages = labels.map((stage) => (stage === "AWSCURRENT" ? {} : { stage }));
  return new Map(
    bound.flatMap(({ source: { id } }) =>
      stages.map((stage) => [keyOfSource({ id, ...stage }), versionId] as const),
    ),
  );
}

/** Time reserved for logs, metrics and the response. */
const REPORTING_MS = 1_000;
