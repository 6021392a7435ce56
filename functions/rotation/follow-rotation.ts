import type { Context, SQSBatchResponse } from "aws-lambda";
import { affectedBindings, eachBindingOnce } from "../../shared/bindings/affected-bindings.ts";
import type { BindingIndex, SourceBindings } from "../../shared/bindings/binding-index.ts";
import { RulesSuperseded, RulesUnknown } from "../../shared/bindings/published/errors.ts";
import { limitStoreWait, type WaitForStore } from "../../shared/bindings/published/limit-store-wait.ts";
import type { RulesCheck, Subject } from "../../shared/bindings/published/rules.ts";
import { parseInvocation } from "../../shared/events/parse-invocation.ts";
import type { ParsedEvent } from "../../shared/events/parsed-event.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { functionLocation } from "../../shared/source/function-location.ts";
import { keyOfSource } from "../../shared/source/key-of-source.ts";
import type { AwsLocation, VersionId } from "../../shared/source/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { reportOutcome } from "../../shared/sync/report-outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import type { OpenRotation, RotationDependencies } from "./dependencies.ts";
import { type EventReport, type RotationReport, settle, settleBatch } from "./settle.ts";
import { triggerChange, waitPatiently } from "./trigger-change.ts";

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
    const waitForStore = limitStoreWait(budget);
    for (let generations = 1; ; generations += 1) {
      try {
        const deps = readRulesWith(waitForStore, await waitForStore(open));
        return await handleInvocation(deps, invocation, context, budget);
      } catch (error) {
        // Newer bindings were published meanwhile, so everything starts again with them.
        if (!(error instanceof RulesSuperseded) || generations === GENERATIONS_MAX) throw error;
      }
    }
  };

/** Publications within one invocation. */
const GENERATIONS_MAX = 5;

/** All reads of the rules share one wait, so that a silent S3 delays a value only briefly. */
function readRulesWith(waitForStore: WaitForStore, deps: RotationDependencies): RotationDependencies {
  const { rules, checkRules } = deps;
  return {
    ...deps,
    checkRules: () => waitForStore(checkRules),
    rules: {
      ...rules,
      find: (self, subject) => waitForStore((budget) => rules.find(self, subject, budget)),
    },
  };
}

async function handleInvocation(
  deps: RotationDependencies,
  invocation: Invocation,
  context: Context,
  budget: TimeBudget,
): Promise<RotationReport | SQSBatchResponse> {
  const all: Promise<unknown>[] = [];
  const sync: SyncChange = (index, change, bound) => {
    const written = syncChange(deps, index, change, bound, budget);
    all.push(written);
    return written;
  };
  const events =
    invocation.kind === "batch" ? invocation.items.flatMap((item) => item.events) : invocation.events;
  const self = functionLocation(context);
  const finding = new Map(
    events.filter(isBoundEvent).map((event) => [event, find(deps, event, self, budget)]),
  );
  await waitPatiently([...finding.values()], budget); // a part that S3 does not send must not delay other writes
  let check: Promise<RulesCheck> | undefined;
  const checkOnce = () => (check ??= deps.checkRules(budget));
  const handle = async (event: ParsedEvent): Promise<EventReport> => {
    if (!isBoundEvent(event)) return noteEvent(deps, event);
    const index = await finding.get(event);
    if (index === undefined) throw new TypeError("The bindings of every event are looked up");
    if (index instanceof RelayError) return noteUnknown(deps, event, index);
    const isAffected = isAnyAffected(index, event);
    const [rules, report] = await Promise.all([
      isAffected ? "in-force" : checkOnce(), // a write has its own check
      handleEvent(deps, event, context, { budget, index, sync, all }),
    ]);
    if (rules === "superseded") throw new RulesSuperseded();
    if (rules === "unknown") return noteUnknown(deps, event, new RulesUnknown(), report);
    if (!isAffected) noteUnaffected(deps, event, index);
    return report;
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
 * The bindings that the event may concern, by the known rules. They may bind nothing: then the event succeeds only if the
 * rules are in force, because newer ones may bind its source. While S3 does not answer, it fails and is retried, however
 * many unbound sources the account has: the failure queue keeps a message of about 1 kB for each, and after a redrive
 * those end as SOURCE_NOT_BOUND. A success would lose the rotation of a source that was bound a moment ago.
 */
async function find(
  { rules }: Pick<RotationDependencies, "rules">,
  event: BoundEvent,
  self: AwsLocation,
  budget: TimeBudget,
): Promise<BindingIndex | RelayError> {
  try {
    return await rules.find(self, subjectOf(event), budget);
  } catch (error) {
    // The other events of the invocation go on.
    if (error instanceof RelayError && !(error instanceof RulesSuperseded)) return error;
    throw error;
  }
}

/** Whether the bindings give the event something to do. */
function isAnyAffected(index: BindingIndex, event: BoundEvent): boolean {
  if (event.kind === "webhook-call") return index.findByWebhookId(event.webhookId).length > 0;
  if (event.kind === "signal") return index.find(event.source).length > 0;
  return affectedBindings(index.find(event.change.source), event.change).length > 0;
}

type BoundEvent = Exclude<ParsedEvent, { kind: "ignored" | "rejected" }>;

const isBoundEvent = (event: ParsedEvent): event is BoundEvent =>
  event.kind !== "ignored" && event.kind !== "rejected";

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
      const ofChange = affected.length > 0 ? sync(index, change, affected) : Promise.resolve([]);
      const announced = { change, webhookIds: idsOf(bound), self, requestId };
      const triggers = triggerChange(deps, index, announced, { ofChange, all }, budget);
      const [outcomes, ofEso] = await Promise.all([ofChange, triggers]);
      return { kind: "synced", outcomes, triggers: ofEso };
    }
    case "webhook-call": {
      const { webhookId } = event;
      const bound = index.findByWebhookId(webhookId);
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

/** The rules are in force, and they give the event nothing to do. */
function noteUnaffected({ log }: Pick<RotationDependencies, "log">, event: BoundEvent, index: BindingIndex) {
  if (event.kind === "webhook-call") log("WEBHOOK_ID_NOT_BOUND");
  if (event.kind !== "change") return;
  const { source } = event.change;
  if (index.find(source).length === 0) log("SOURCE_NOT_BOUND", { source: source.id });
  else log("EVENT_IGNORED", { code: "OTHER_LABEL" });
}

/** The event must be retried: what it concerns is unknown. */
function noteUnknown(
  { log }: Pick<RotationDependencies, "log">,
  event: BoundEvent,
  error: RelayError,
  report?: EventReport,
): EventReport {
  const { code, message: advice } = error;
  const subject = subjectOf(event);
  log("EVENT_UNCHECKED", { ...("source" in subject && { source: subject.source.id }), code, advice });
  return { kind: "unknown", error, ...(report?.kind === "synced" && { triggers: report.triggers ?? [] }) };
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
  log("SYNC_STARTED", {
    source: id,
    reason: change.reason,
    ...(change.eventId && { eventId: change.eventId }),
    ...(change.versionId && { versionId: change.versionId }),
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
