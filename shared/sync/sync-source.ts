import { assess } from "../assess/assess.ts";
import { REFUSALS } from "../assess/catalogue.ts";
import { touchesData } from "../assess/changes.ts";
import { printTakeBacks, recentTakeBacks } from "../assess/contest.ts";
import { type AssessRules, DELETION_GRACE_MS, liveTarget, type Observation } from "../assess/observation.ts";
import type { Verdict } from "../assess/verdict.ts";
import type { Binding } from "../bindings/binding.ts";
import { RulesSuperseded, RulesUnknown } from "../bindings/published/errors.ts";
import type { Rules, RulesCheck } from "../bindings/published/rules.ts";
import { claimOwnership, claimsAny } from "../cluster/claim-ownership.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { FenceConflict, FieldConflict } from "../cluster/errors.ts";
import type { LiveSecret, ObjectVersion } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { DesiredSecret } from "../render/render-secret.ts";
import { backoffMs, type RetryPolicy, type Wait } from "../runtime/retry.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { CurrentSource, ReadCurrent, Source } from "../source/source.ts";
import { stateOfRead } from "../source/state-of-read.ts";
import type { FollowUp, Settled } from "../workloads/follow-up.ts";
import { printPendingRestart } from "../workloads/pending-restart.ts";
import { applyBody, type Notes } from "./apply-body.ts";
import { expiryOf } from "./expiry-of.ts";
import { noteGone } from "./note-gone.ts";
import { outcomeOfError, type SyncOutcome, type TargetOutcome } from "./outcome.ts";
import { type ReadSourcesRequest, readSources, readsOf } from "./read-sources.ts";
import { renderCurrent } from "./render-current.ts";

export type SyncCluster = Pick<
  ClusterConnection,
  "readSecret" | "applySecret" | "deleteSecret" | "patchMetadata"
>;

export type SyncDependencies = {
  /** Whether the bindings of the request are still in force. */
  readonly checkRules: Rules["check"];
  readonly readCurrent: ReadCurrent;
  /** The connection of a cluster, by its key in the bindings. */
  readonly connect: (clusterKey: string) => SyncCluster;
  readonly now: () => number;
  readonly wait: Wait;
  /** Restarts, nudges and Kubernetes Events, for bindings that ask for them. */
  readonly followUp: FollowUp;
  /** Finds out why a source has no value; without it the most likely reason is reported. */
  readonly describe?: Source["describe"];
};

export type SyncRequest = ReadSourcesRequest & {
  /** Every binding of a source; it may have further sources. */
  readonly bindings: readonly Binding[];
  /** When the label moved, ms since the epoch; for the propagation latency. */
  readonly occurredAt?: number;
  /** The sync repairs drift that a sweep found. */
  readonly isRepair?: boolean;
};

/**
 * Writes the current values of the sources to every target of these bindings.
 *
 * The fence, per target: read the live Secret, *then* all its sources and the pointer to the rules, then apply with the
 * resourceVersion and uid of the live Secret. A write by another client in between makes the apply fail, and the relay
 * starts again from the live read, so a value or a rule that was read earlier never lands after one that was read later.
 * Without a live Secret, the apply can only create, and sources and pointer are read once more afterwards.
 *
 * Throws RulesSuperseded if newer rules are in force. While the rules are unknown, it writes only Secrets that already
 * follow the rules of the request.
 *
 * Clusters run independently, so that a slow or unreachable one delays no other. Targets of one cluster share a read of
 * each source.
 */
export async function syncSource(deps: SyncDependencies, request: SyncRequest): Promise<SyncOutcome[]> {
  const byCluster = Map.groupBy(request.bindings, (binding) => binding.target.cluster);
  const outcomes = await Promise.all(
    [...byCluster].map(([clusterKey, bindings]) =>
      syncCluster(deps, deps.connect(clusterKey), { ...request, bindings }),
    ),
  );
  return outcomes.flatMap((outcome) => {
    if ("isSuperseded" in outcome) throw new RulesSuperseded(); // after all clusters have ended
    return outcome;
  });
}

type Attempt = {
  readonly binding: Binding;
  /** How often it had to start again. */
  readonly conflicts: number;
  /** The relay created the Secret in an earlier round. */
  readonly isOurCreation?: true;
};

type Done = {
  readonly binding: Binding;
  readonly done: TargetOutcome;
  readonly verdict?: Verdict;
  /** The Secret after the sync, if known. */
  readonly secret?: LiveSecret;
};

type Step = Done | { readonly again: Attempt } | typeof SUPERSEDED;

const SUPERSEDED = { isSuperseded: true } as const;

async function syncCluster(
  deps: SyncDependencies,
  cluster: SyncCluster,
  request: SyncRequest,
): Promise<SyncOutcome[] | typeof SUPERSEDED> {
  const done: Done[] = [];
  // Follow-up actions begin with the outcome of their target: a write that hangs in another namespace does not delay them.
  const followUps = new Map<Step, Promise<SyncOutcome>>();
  const onStep = (step: Step): void => {
    if ("done" in step) followUps.set(step, followUp(deps, request, step));
  };
  let pending: Attempt[] = request.bindings.map((binding) => ({ binding, conflicts: 0 }));
  for (let round = 1; pending.length > 0; round += 1) {
    if (round > 1) await deps.wait(backoffMs(FENCE_POLICY, round - 1), request.budget.signal);
    const steps = await runFence(deps, cluster, request, { pending, onStep });
    if (steps.some((step) => "isSuperseded" in step)) {
      await Promise.all(followUps.values());
      return SUPERSEDED;
    }
    done.push(...steps.filter((step) => "done" in step));
    pending = steps.flatMap((step) => ("again" in step ? [step.again] : []));
    if (round === FENCE_POLICY.attemptsMax || request.budget.signal.aborted) break;
  }
  const lost = pending.map(({ binding }): Done => {
    const { namespace, name } = binding.target;
    return {
      binding,
      done: outcomeOfError(binding.target, new FenceConflict(`Secret ${namespace}/${name}`)),
    };
  });
  return Promise.all([...done, ...lost].map((each) => followUps.get(each) ?? followUp(deps, request, each)));
}

async function followUp(
  deps: SyncDependencies,
  { budget, ownMetadata, isRepair = false }: SyncRequest,
  { binding, done: outcome, verdict, secret }: Done,
): Promise<SyncOutcome> {
  const done: SyncOutcome = { ...outcome, ...(verdict && { verdict }) };
  const isWanted = binding.restart !== undefined || binding.nudge === true || binding.events === true;
  if (!isWanted || done.kind === "failed") return done;
  const was =
    done.kind === "refused" ? done : { kind: changeKind(done, isRepair), versionId: done.versionId };
  return {
    ...done,
    ...(await deps.followUp({ binding, ownMetadata, was, ...(secret && { secret }) }, budget)),
  };
}

function changeKind(
  done: Exclude<TargetOutcome, { kind: "refused" | "failed" }>,
  isRepair: boolean,
): Exclude<Settled["was"]["kind"], "refused"> {
  if (done.kind === "unchanged") return "unchanged";
  return isRepair ? "repaired" : done.isNew ? "created" : "updated";
}

/** One pass: all live reads, one read of each source, all applies. */
async function runFence(
  deps: SyncDependencies,
  cluster: SyncCluster,
  request: SyncRequest,
  { pending, onStep }: { readonly pending: readonly Attempt[]; readonly onStep: (step: Step) => void },
): Promise<Step[]> {
  const { budget } = request;
  const reads = await Promise.all(
    pending.map((attempt) =>
      guard(attempt, async () => ({
        attempt,
        live: await cluster.readSecret(attempt.binding.target, budget),
      })),
    ),
  );
  const failed = reads.filter((read) => "done" in read);
  const readable = reads.filter((read) => "attempt" in read);
  for (const step of failed) onStep(step);
  if (readable.length === 0) {
    // Newer rules can bind other Secrets, so a refusal by older ones says nothing.
    return (await deps.checkRules(budget)) === "superseded" ? [SUPERSEDED] : failed;
  }

  const observations = readable.map(({ attempt: { binding }, live }) => ({ binding, live }));
  const [sources, rules] = await Promise.all([
    readSources(deps, request, observations),
    deps.checkRules(budget),
  ]);
  if (rules === "superseded") return [SUPERSEDED];
  const written = await Promise.all(
    readable.map(async ({ attempt, live }) => {
      const write = { attempt, live, reads: readsOf(attempt.binding, sources), rules };
      const step = await guard<Step>(attempt, () => writeTarget(deps, cluster, request, write));
      onStep(step);
      return step;
    }),
  );
  return [...failed, ...written];
}

type Write = {
  readonly attempt: Attempt;
  readonly live: LiveSecret | undefined;
  /** One for each source of the binding, in its order. */
  readonly reads: readonly (CurrentSource | RelayError)[];
  readonly rules: Exclude<RulesCheck, "superseded">;
};

async function writeTarget(
  deps: SyncDependencies,
  cluster: SyncCluster,
  request: SyncRequest,
  { attempt, live, reads, rules }: Write,
): Promise<Step> {
  const { binding, conflicts } = attempt;
  const { target } = binding;
  const observation = await observe(deps, request, { binding, live, reads });
  const verdict = assess(observation, rulesOf(deps, request));
  const { desired } = observation;
  if (!isWritable(verdict) || desired === undefined || desired instanceof RelayError) {
    return { binding, done: notWritten(verdict), verdict, ...(live && { secret: live }) };
  }
  if (rules === "unknown" && !isByKnownRules(live, { binding, verdict }, request)) {
    return {
      binding,
      done: outcomeOfError(target, new RulesUnknown()),
      verdict,
      ...(live && { secret: live }),
    };
  }
  const current = reads.filter((read): read is CurrentSource => !(read instanceof RelayError));
  const { versionId, collisions } = desired;
  // Without a change, only the annotations about the write differ. Without force, the API server would report an edit
  // since the read as a conflict over its field, before the fence could report it.
  const how = { fieldManager: request.ownMetadata.fieldManager, force: verdict.write?.force ?? true };
  const notes = { annotations: request.ownMetadata.annotations, now: deps.now() };
  const apply = (base: ObjectVersion | undefined, withNotes: Notes) =>
    cluster.applySecret(applyBody(desired, base, withNotes), how, request.budget).catch((error: unknown) => {
      // A creation has met a Secret that another client made meanwhile. The next live read shows whose it is.
      if (base === undefined && error instanceof FieldConflict) {
        throw new FenceConflict(`Secret ${target.namespace}/${target.name}`);
      }
      throw error;
    });
  if (verdict.action === "none") {
    let secret = live;
    if (hasReturned(live, { binding, current }, request)) {
      const readersDue = live?.annotations[request.ownMetadata.annotations.readersDue];
      const takeBacks = printTakeBacks(recentTakeBacks(live, request.ownMetadata, notes.now));
      secret = await apply(live, { ...notes, readersDue, takeBacks });
    }
    if (verdict.note === "returned" && secret !== undefined) await noteGone(cluster, secret, null, request);
    const done: TargetOutcome = {
      ...{ kind: "unchanged", target, versionId, fenceConflicts: conflicts },
      ...expiryOf(desired, deps.now()),
      ...(collisions && { collisions }),
    };
    return { binding, done, verdict, ...(secret && { secret }) };
  }
  const isNew = verdict.action !== "update";
  // Deletes only the assessed state. If a later step fails, the next attempt creates the Secret.
  if (verdict.action === "replace" && live !== undefined)
    await cluster.deleteSecret(target, live, request.budget);
  const now = deps.now();
  const base = isNew ? undefined : await disown(cluster, request, { live, verdict, now });
  const after = notesAfter(verdict, request, { attempt, live, current, versionId }, now);
  const secret = await apply(base, { ...notes, now, ...after });
  if (verdict.note === "returned" && !isNew) await noteGone(cluster, secret, null, request);
  // A creation has no live object to fence with: another client may have created and deleted the Secret in between.
  const isCurrent = !isNew || (await isStillCurrent(deps, request, { binding, current }));
  const rulesAfter = isNew ? await deps.checkRules(request.budget) : "in-force";
  if (rulesAfter === "superseded") return SUPERSEDED;
  // Another invocation may have written by newer rules before a deletion, and nothing would say so.
  if (rulesAfter === "unknown") throw new RulesUnknown();
  if (!isCurrent) {
    const again = { binding, conflicts: conflicts + 1 };
    return { again: verdict.action === "create" ? { ...again, isOurCreation: true } : again };
  }
  return { binding, done: writtenOutcome(deps, request, { verdict, desired, conflicts }), verdict, secret };
}

/** Without the store, a value may still be updated: the Secret was last written under the same rules. */
function isByKnownRules(
  live: LiveSecret | undefined,
  { binding, verdict }: { readonly binding: Binding; readonly verdict: Verdict },
  { ownMetadata }: SyncRequest,
): boolean {
  if (verdict.action !== "update" && verdict.action !== "none") return false;
  return live?.annotations[ownMetadata.annotations.bindingFingerprint] === binding.fingerprint;
}

async function observe(
  deps: SyncDependencies,
  { budget, ownMetadata }: SyncRequest,
  { binding, live, reads }: { binding: Binding; live: LiveSecret | undefined; reads: Write["reads"] },
): Promise<Observation> {
  const { describe } = deps;
  const sources = await Promise.all(
    binding.sources.map((source, index) => {
      const read = reads[index];
      if (read === undefined) throw new TypeError("Every source of a binding is read before it is rendered");
      return stateOfRead(source, read, describe && (() => describe(source, budget)));
    }),
  );
  const desired = await renderCurrent(binding, reads, ownMetadata);
  return { binding, live: liveTarget(live), sources, ...(desired && { desired }) };
}

/** Only sweeps delete, with their own setting. Here the grace period only marks a Secret that waits for deletion. */
function rulesOf({ now }: SyncDependencies, { ownMetadata }: SyncRequest): AssessRules {
  return { ownMetadata, now: now(), deletionGraceMs: DELETION_GRACE_MS };
}

/** Only sweeps delete, after two observations. */
const isWritable = ({ action, deleteAfter }: Verdict): boolean =>
  ["create", "update", "replace"].includes(action) || (action === "none" && deleteAfter === undefined);

function notWritten({ target, finding, action, code, advice, retryable }: Verdict): TargetOutcome {
  if (action === "unknown") {
    return { kind: retryable ? "failed" : "refused", target, code: code ?? "", advice: advice ?? "" };
  }
  // The source is missing, also while its Secret waits for deletion.
  const refusal = finding === "SOURCE_MISSING" ? REFUSALS.SOURCE_MISSING : "";
  return { kind: "refused", target, code: code ?? finding ?? "", advice: advice ?? refusal };
}

/** Moves the ownership of removed keys and of a previous operator's fields to the relay. Returns the state to apply to. */
async function disown(
  cluster: SyncCluster,
  { budget, ownMetadata: { fieldManager } }: SyncRequest,
  { live, verdict, now }: { live: LiveSecret | undefined; verdict: Verdict; now: number },
): Promise<ObjectVersion | undefined> {
  const fields = verdict.write?.disown;
  if (live === undefined || fields === undefined || !claimsAny(fields)) return live;
  const managedFields = claimOwnership(live.rawManagedFields, fields, fieldManager, { now });
  return cluster.patchMetadata(live, { metadata: { managedFields }, fieldManager }, budget);
}

/** Checked after a creation. A pinned version never changes. */
async function isStillCurrent(
  { readCurrent }: SyncDependencies,
  { budget }: SyncRequest,
  { binding, current }: Rendered,
): Promise<boolean> {
  const checks = binding.sources.map(async (source, index) => {
    if (source.versionId !== undefined) return true;
    return (await readCurrent(source, budget)).versionId === current[index]?.versionId;
  });
  return (await Promise.all(checks)).every((isSame) => isSame);
}

/**
 * The label has returned to the version that the Secret still holds. A concurrent invocation with the version in between
 * has read this state of the Secret, and its write would land last. A new apply, which only changes the time, makes that
 * write fail. The event's time has whole seconds, so a move within the second of the write looks like a repeated event.
 */
function hasReturned(live: LiveSecret | undefined, read: Rendered, request: SyncRequest): boolean {
  const movedAt = labelMovedAt(read, request);
  const writtenAt = Date.parse(live?.annotations[request.ownMetadata.annotations.writtenAt] ?? "");
  return movedAt !== undefined && writtenAt < movedAt;
}

/** A binding with the current version of each of its sources. */
type Rendered = { readonly binding: Binding; readonly current: readonly CurrentSource[] };

/** The time of the event, if a source has the version that the event announced. */
function labelMovedAt(
  { binding, current }: Rendered,
  { expectedVersionIds, occurredAt }: SyncRequest,
): number | undefined {
  const isExpected = binding.sources.some(
    (source, index) => current[index]?.versionId === expectedVersionIds?.get(keyOfSource(source)),
  );
  return isExpected ? occurredAt : undefined;
}

/** The annotations for pending restarts and for the next sweep after this write. */
function notesAfter(
  verdict: Verdict,
  request: SyncRequest,
  {
    attempt,
    live,
    current,
    versionId,
  }: Pick<Write, "attempt" | "live"> & Pick<Rendered, "current"> & { readonly versionId: VersionId },
  now: number,
): Pick<Notes, "readersDue" | "takeBacks"> {
  const { ownMetadata } = request;
  const { binding, isOurCreation = false } = attempt;
  const { action, write } = verdict;
  const times = recentTakeBacks(live, ownMetadata, now);
  const takeBacks = printTakeBacks(write?.isTakeBack ? [...times, now] : times);
  const { restart, nudge, checkPods } = binding;
  if (restart === undefined && nudge !== true && checkPods !== true) return { takeBacks };
  if (action === "update" && !touchesData(write?.changes ?? [])) {
    return { takeBacks, readersDue: live?.annotations[ownMetadata.annotations.readersDue] };
  }
  const isFirst = action === "create" || isOurCreation;
  const movedAt = labelMovedAt({ binding, current }, request);
  const pending = { versionId, changedAt: now, isFirst, ...(movedAt !== undefined && { movedAt }) };
  return { takeBacks, readersDue: printPendingRestart(pending) };
}

function writtenOutcome(
  deps: SyncDependencies,
  request: SyncRequest,
  written: { verdict: Verdict; desired: DesiredSecret; conflicts: number },
): TargetOutcome {
  const { verdict, desired, conflicts } = written;
  return {
    kind: "written",
    target: desired.target,
    versionId: desired.versionId,
    isNew: verdict.action === "create",
    changes: verdict.write?.changes ?? [],
    ...(verdict.action === "replace" && { isReplaced: true }),
    fenceConflicts: conflicts,
    ...expiryOf(desired, deps.now()),
    ...(desired.collisions && { collisions: desired.collisions }),
    // The event's time has whole seconds, from another clock: never report a negative latency.
    ...(request.occurredAt !== undefined && { propagationMs: Math.max(0, deps.now() - request.occurredAt) }),
  };
}

/** An error becomes this target's outcome or next attempt. Not even a bug affects the other targets. */
async function guard<T extends object>(attempt: Attempt, run: () => Promise<T>): Promise<T | Step> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof FenceConflict) return { again: { ...attempt, conflicts: attempt.conflicts + 1 } };
    const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { binding: attempt.binding, done: outcomeOfError(attempt.binding.target, ours) };
  }
}

const FENCE_POLICY: RetryPolicy = { attemptsMax: 8, pauseMs: 20, pauseMsMax: 1_000 };
