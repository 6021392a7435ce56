import type { Binding } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { FenceConflict } from "../cluster/errors.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { loadRenderers } from "../render/load-renderers.ts";
import { ANNOTATIONS } from "../render/ownership-marks.ts";
import { type DesiredSecret, renderSecret } from "../render/render-secret.ts";
import { backoffMs, type RetryPolicy, type Wait } from "../retry/retry.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { CurrentSource, ReadCurrent } from "../source/read-current.ts";
import type { FollowUp, Settled } from "../workloads/follow-up.ts";
import { NOTICE_ANNOTATION, printNotice } from "../workloads/notice.ts";
import { applyBody } from "./apply-body.ts";
import { expiryOf } from "./expiry-of.ts";
import { outcomeOfError, type SyncOutcome, type TargetOutcome } from "./outcome.ts";
import { type Plan, planTarget, touchesData } from "./plan.ts";
import { type ReadSourcesRequest, readSources, readsOf } from "./read-sources.ts";

/** What a sync does to one cluster. */
export type SyncCluster = Pick<ClusterConnection, "readSecret" | "applySecret" | "deleteSecret">;

export type SyncDependencies = {
  readonly readCurrent: ReadCurrent;
  /** The connection of a cluster, by its key in the bindings. */
  readonly connect: (clusterKey: string) => SyncCluster;
  readonly now: () => number;
  readonly wait: Wait;
  /** What is done for those who read a target, where its binding wants anything. */
  readonly followUp: FollowUp;
};

export type SyncRequest = ReadSourcesRequest & {
  /** Every binding of a source, with whatever other sources it has. */
  readonly bindings: readonly Binding[];
  /** When the label moved, ms since the epoch; for the propagation latency. */
  readonly occurredAt?: number;
  /** A sweep asks because it found drift. */
  readonly isRepair?: boolean;
};

/**
 * Brings every target of these bindings to what their sources hold.
 *
 * The fence, per target: read the live Secret, *then* all its sources, then apply with that live object's
 * resourceVersion and uid. Whoever wrote in between makes the apply fail, and we start again from the live read; so of
 * each source a value that was read earlier never lands after one that was read later. Where nothing was live, the
 * apply can only create, and each source is checked once more afterwards.
 *
 * Clusters go their own ways, so that a slow or unreachable one holds up no other; targets of one cluster share a read
 * of each source.
 */
export async function syncSource(deps: SyncDependencies, request: SyncRequest): Promise<SyncOutcome[]> {
  const byCluster = Map.groupBy(request.bindings, (binding) => binding.target.cluster);
  const outcomes = await Promise.all(
    [...byCluster].map(([clusterKey, bindings]) =>
      syncCluster(deps, deps.connect(clusterKey), { ...request, bindings }),
    ),
  );
  return outcomes.flat();
}

/** A binding on its way through the fence; `conflicts` counts how often it had to start again. */
type Attempt = {
  readonly binding: Binding;
  readonly conflicts: number;
  /** We made the Secret in an earlier round. */
  readonly isOurCreation?: true;
};

type Done = {
  readonly binding: Binding;
  readonly done: TargetOutcome;
  /** As it is after the sync, where that is known. */
  readonly secret?: LiveSecret;
};

type Step = Done | { readonly again: Attempt };

async function syncCluster(
  deps: SyncDependencies,
  cluster: SyncCluster,
  request: SyncRequest,
): Promise<SyncOutcome[]> {
  const done: Done[] = [];
  let pending: Attempt[] = request.bindings.map((binding) => ({ binding, conflicts: 0 }));
  for (let round = 1; pending.length > 0; round += 1) {
    if (round > 1) await deps.wait(backoffMs(FENCE_POLICY, round - 1), request.budget.signal);
    const steps = await runFence(deps, cluster, request, pending);
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
  return Promise.all([...done, ...lost].map((each) => followUp(deps, request, each)));
}

/** For most bindings there is nothing to do, and nothing of it is loaded. */
async function followUp(
  deps: SyncDependencies,
  { budget, isRepair = false }: SyncRequest,
  { binding, done, secret }: Done,
): Promise<SyncOutcome> {
  const isWanted = binding.restart !== undefined || binding.nudge === true || binding.events === true;
  if (!isWanted || done.kind === "failed") return done;
  const was = done.kind === "refused" ? done : { kind: toldKind(done, isRepair), versionId: done.versionId };
  return { ...done, ...(await deps.followUp({ binding, was, ...(secret && { secret }) }, budget)) };
}

function toldKind(
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
  pending: readonly Attempt[],
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
  if (readable.length === 0) return failed;

  const seen = readable.map(({ attempt: { binding }, live }) => ({ binding, live }));
  const sources = await readSources(deps, request, seen);
  const written = await Promise.all(
    readable.map(({ attempt, live }) =>
      guard(attempt, () => {
        const current = readsOf(attempt.binding, sources);
        return writeTarget(deps, cluster, request, { attempt, live, current });
      }),
    ),
  );
  return [...failed, ...written];
}

type Write = {
  readonly attempt: Attempt;
  readonly live: LiveSecret | undefined;
  /** Of each source of the binding, in its order. */
  readonly current: readonly CurrentSource[];
};

async function writeTarget(
  deps: SyncDependencies,
  cluster: SyncCluster,
  request: SyncRequest,
  { attempt, live, current }: Write,
): Promise<Step> {
  const { binding, conflicts } = attempt;
  const { target } = binding;
  const desired = renderSecret(binding, current, await loadRenderers(binding));
  const plan = planTarget(live, desired, binding);
  const { versionId, collisions } = desired;
  const collided = collisions && { collisions };
  if (plan.kind === "refuse") {
    const done = { kind: "refused", target, code: plan.code, advice: plan.advice } as const;
    return { binding, done, ...(live && { secret: live }) };
  }
  if (plan.kind === "leave") {
    const secret = isBackAgain(live, { binding, current }, request)
      ? await cluster.applySecret(
          applyBody(desired, live, deps.now(), noticeOf(live)),
          binding.adopt,
          request.budget,
        )
      : live;
    const expiry = expiryOf(desired, deps.now());
    const common = { target, versionId, fenceConflicts: conflicts, ...expiry, ...collided };
    return { binding, done: { kind: "unchanged", ...common }, ...(secret && { secret }) };
  }
  const isNew = plan.kind !== "update";
  // Deleted in the state that was planned for, or not at all; whatever fails from here on, the next try creates it.
  if (plan.kind === "replace" && live !== undefined) await cluster.deleteSecret(target, live, request.budget);
  const now = deps.now();
  const notice = noticeAfter(plan, { attempt, live, versionId }, now);
  const body = applyBody(desired, isNew ? undefined : live, now, notice);
  const secret = await cluster.applySecret(body, binding.adopt, request.budget);
  // Nothing was live to fence with: somebody may have created and deleted the Secret since our reads.
  if (isNew && !(await isStillCurrent(deps, request, { binding, current }))) {
    return {
      again: { binding, conflicts: conflicts + 1, ...(plan.kind === "create" && { isOurCreation: true }) },
    };
  }
  return { binding, done: writtenOutcome(deps, request, { plan, desired, conflicts }), secret };
}

/** Asked after a creation. A pinned version is what it is. */
async function isStillCurrent(
  { readCurrent }: SyncDependencies,
  { budget }: SyncRequest,
  { binding, current }: { readonly binding: Binding; readonly current: readonly CurrentSource[] },
): Promise<boolean> {
  const checks = binding.sources.map(async (source, index) => {
    if (source.versionId !== undefined) return true;
    return (await readCurrent(source, budget)).versionId === current[index]?.versionId;
  });
  return (await Promise.all(checks)).every((isSame) => isSame);
}

/**
 * The label came back to the version that the Secret has held all along. Whoever still brings the version that was
 * current in between has seen the Secret as it is, and would land last: applying the same again, with nothing new but
 * the time, takes that premise away. The event's clock has whole seconds, so a move within the second of the write is
 * not told from an event that comes twice.
 */
function isBackAgain(
  live: LiveSecret | undefined,
  { binding, current }: { readonly binding: Binding; readonly current: readonly CurrentSource[] },
  { expectedVersionIds, occurredAt }: SyncRequest,
): boolean {
  const isExpected = binding.sources.some(
    (source, index) => current[index]?.versionId === expectedVersionIds?.get(keyOfSource(source)),
  );
  const writtenAt = Date.parse(live?.annotations[ANNOTATIONS.writtenAt] ?? "");
  return isExpected && occurredAt !== undefined && writtenAt < occurredAt;
}

const noticeOf = (live: LiveSecret | undefined): string | undefined => live?.annotations[NOTICE_ANNOTATION];

/** What the Secret tells those who look after its readers, once this plan is applied. */
function noticeAfter(
  plan: Exclude<Plan, { kind: "leave" | "refuse" }>,
  { attempt, live, versionId }: Pick<Write, "attempt" | "live"> & { readonly versionId: VersionId },
  changedAt: number,
): string | undefined {
  const { binding, isOurCreation = false } = attempt;
  if (binding.restart === undefined && binding.nudge !== true) return undefined;
  if (plan.kind === "update" && !touchesData(plan.changes)) return noticeOf(live);
  return printNotice({ versionId, changedAt, isFirst: plan.kind === "create" || isOurCreation });
}

function writtenOutcome(
  deps: SyncDependencies,
  request: SyncRequest,
  written: { plan: Exclude<Plan, { kind: "leave" | "refuse" }>; desired: DesiredSecret; conflicts: number },
): TargetOutcome {
  const { plan, desired, conflicts } = written;
  return {
    kind: "written",
    target: desired.target,
    versionId: desired.versionId,
    isNew: plan.kind === "create",
    changes: plan.changes,
    ...(plan.kind === "replace" && { isReplaced: true }),
    fenceConflicts: conflicts,
    ...expiryOf(desired, deps.now()),
    ...(desired.collisions && { collisions: desired.collisions }),
    // The event's clock has whole seconds and is not ours: never report a latency below zero.
    ...(request.occurredAt !== undefined && { propagationMs: Math.max(0, deps.now() - request.occurredAt) }),
  };
}

/** An error is this target's outcome, or its next attempt; not even a bug of ours touches the other targets. */
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
