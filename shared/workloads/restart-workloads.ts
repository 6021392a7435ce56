import type { RestartRule, TargetRef, WorkloadKind, WorkloadRef } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import { ClusterForbidden, FenceConflict } from "../cluster/errors.ts";
import { listObjects } from "../cluster/list-objects.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { backoffMs, type RetryPolicy, type Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { findOthersDue } from "./find-others-due.ts";
import { isUnfinished, type RestartOutcome } from "./outcome.ts";
import { carriesPendingRestart, type PendingRestart } from "./pending-restart.ts";
import { planRestart, type RestartInput, restartPatch } from "./plan-restart.ts";
import { type AnnotationsPatch, carries, READERS_FIELD_MANAGER } from "./restart-annotations.ts";
import { rolloutProgress } from "./rollout-progress.ts";
import { findUsers, usesSecret } from "./uses-secret.ts";
import {
  nameOfWorkload,
  pathOfKind,
  pathOfWorkload,
  type RawObject,
  type ReaderCluster,
  slimWorkload,
  WORKLOAD_KINDS,
} from "./workload.ts";

export type RestartDependencies = {
  readonly cluster: ReaderCluster;
  readonly now: () => number;
  readonly wait: Wait;
  readonly rolloutDeadlineMs: number;
};

export type RestartRequest = {
  readonly ownMetadata: RelayMetadata;
  readonly target: TargetRef;
  readonly rule: RestartRule;
  readonly pending: PendingRestart;
  /** Only look, and change nothing. */
  readonly plan: boolean;
  readonly budget: TimeBudget;
};

/**
 * Restarts each workload that runs with another version than the pending one, and records the version on workloads that
 * started with it. Of those that it restarted earlier, it follows the rollout and records its completion.
 *
 * The fence, per workload: read the workload, *then* the Secret's annotation, then patch with the workload's
 * resourceVersion. So a recorded version never goes back, and each pending restart restarts a workload once. The same
 * fence holds for the other Secrets that a restart serves.
 */
export async function restartWorkloads(
  deps: RestartDependencies,
  request: RestartRequest,
): Promise<RestartOutcome[]> {
  const { rule, budget, plan } = request;
  const { found, problems } = await findWorkloads(deps, request);
  const isDelayed = !plan && rule.delaySeconds > 0 && (await isAnyDue(deps, request, found));
  if (isDelayed) {
    const ms = rule.delaySeconds * 1_000;
    if (ms >= budget.remainingMs()) {
      const late = found.map(({ ref }) => outcomeOf(ref, "failed", "RESTART_OUT_OF_TIME"));
      return [...problems, ...late].map((each) => withWaiting(each, request));
    }
    await deps.wait(ms, budget.signal);
  }
  // A workload may have changed during the delay, so it is read again.
  const due = isDelayed ? found.map(({ ref }) => ({ ref })) : found;
  const outcomes =
    rule.order === "sequence"
      ? await restartInSequence(deps, request, due)
      : await Promise.all(due.map((each) => restartOne(deps, request, each)));
  const looked = plan ? outcomes : await recordCompletions(deps, request, { due, problems, outcomes });
  return [...problems, ...looked].map((each) => withWaiting(each, request));
}

/**
 * Only a look that records a completion measures the time to effective, and it must know every workload. So while it
 * cannot read one of them, it records nothing, and the next look finds the same completions.
 */
async function recordCompletions(
  deps: RestartDependencies,
  request: RestartRequest,
  { due, problems, outcomes }: { readonly due: readonly Found[] } & Looked,
): Promise<readonly RestartOutcome[]> {
  if (!outcomes.some(isComplete)) return outcomes;
  if ([...problems, ...outcomes].some(({ outcome }) => outcome === "failed")) {
    return outcomes.map((outcome) => (isComplete(outcome) ? withoutCompletion(outcome) : outcome));
  }
  const recorded = await Promise.all(
    due.map((each, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined && !isComplete(outcome)) return outcome;
      return restartOne(deps, { ...request, records: true }, each);
    }),
  );
  return lookAtOthersAgain(deps, request, { due, outcomes: recorded });
}

type Looked = {
  /** Of kinds that could not be listed. */
  readonly problems: readonly RestartOutcome[];
  readonly outcomes: readonly RestartOutcome[];
};

const isComplete = ({ rollout }: RestartOutcome): boolean => rollout?.state === "complete";

function withoutCompletion({
  effectiveAt: _at,
  rollout: _complete,
  ...outcome
}: RestartOutcome): RestartOutcome {
  return outcome;
}

/**
 * If this invocation has recorded a completion, another one may have recorded those that this one found open. Each
 * records first and looks then, so at least the last one sees all of them, and measures the time to effective.
 */
async function lookAtOthersAgain(
  deps: RestartDependencies,
  request: RestartRequest,
  { due, outcomes }: { readonly due: readonly Found[]; readonly outcomes: readonly RestartOutcome[] },
): Promise<readonly RestartOutcome[]> {
  if (!outcomes.some(isComplete)) return outcomes;
  const refs = new Map(due.map(({ ref }) => [outcomeOf(ref, "already").workload, ref]));
  return Promise.all(
    outcomes.map(async (outcome) => {
      const ref = refs.get(outcome.workload);
      if (ref === undefined || outcome.effectiveAt !== undefined) return outcome;
      const { effectiveAt, rollout } = await restartOne(deps, { ...request, plan: true }, { ref });
      // Without a rollout the completion is recorded; with one it is not, and a later look records it.
      if (effectiveAt === undefined || rollout !== undefined) return outcome;
      const { rollout: _before, ...others } = outcome;
      return { ...others, effectiveAt };
    }),
  );
}

/** Adds what the workload waits for, and since when. */
function withWaiting(outcome: RestartOutcome, { pending }: RestartRequest): RestartOutcome {
  const { versionId, changedAt, impliedBy } = pending;
  const waits = isUnfinished(outcome) && outcome.code !== "RESTART_SUPERSEDED";
  if (!waits || impliedBy !== undefined) return outcome;
  return { ...outcome, versionId, since: outcome.since ?? new Date(changedAt).toISOString() };
}

/** `workload` is undefined until it is read. */
type Found = { readonly ref: WorkloadRef; readonly workload?: RawObject };

async function findWorkloads(
  deps: RestartDependencies,
  request: RestartRequest,
): Promise<{ found: readonly Found[]; problems: readonly RestartOutcome[] }> {
  const { workloads } = request.rule;
  if (workloads !== "auto") return { found: workloads.map((ref) => ({ ref })), problems: [] };
  const lists = await Promise.all(WORKLOAD_KINDS.map((kind) => listKind(deps, request, kind)));
  const users = findUsers(
    lists.flatMap((list) => list.workloads),
    request.target.name,
  );
  const found = users.map((workload) => ({
    ref: { kind: workload.kind as WorkloadKind, name: workload.metadata?.name ?? "" },
    workload,
  }));
  return { found, problems: lists.flatMap((list) => list.problems) };
}

async function listKind(
  { cluster, wait }: RestartDependencies,
  { target, budget }: RestartRequest,
  kind: WorkloadKind,
): Promise<{ workloads: readonly RawObject[]; problems: readonly RestartOutcome[] }> {
  try {
    const path = pathOfKind(kind, target.namespace);
    const select = (object: unknown): RawObject | undefined => {
      const workload = object as RawObject;
      const { workloadRef, template } = workload.spec ?? {};
      const isUser = workloadRef !== undefined || usesSecret(template?.spec, target.name);
      return isUser ? { ...slimWorkload(workload), kind } : undefined; // items of a list have no kind
    };
    const { cluster: clusterKey } = target;
    const request = { clusterKey, path, limit: WORKLOADS_PER_PAGE, keptMax: WORKLOADS_MAX, select };
    const list = () => listObjects(cluster, request, budget);
    const workloads = await list().catch(async (error: unknown) => {
      // An API server that has just started refuses every caller for some 70 ms.
      if (kind === "Rollout" || !(error instanceof ClusterForbidden)) throw error;
      await wait(REFUSAL_PAUSE_MS, budget.signal);
      return list();
    });
    return { workloads, problems: [] };
  } catch (error) {
    // Most clusters have no Rollouts; without permission the API server returns 403 instead of 404.
    if (kind === "Rollout" && error instanceof ClusterForbidden) return { workloads: [], problems: [] };
    return { workloads: [], problems: [outcomeOfError({ kind, name: "*" }, error)] };
  }
}

/** Avoids a needless delay. A workload that cannot be read counts as due; it is read and reported after the delay. */
async function isAnyDue(
  deps: RestartDependencies,
  request: RestartRequest,
  found: readonly Found[],
): Promise<boolean> {
  const isDue = async ({ ref, workload }: Found): Promise<boolean> => {
    try {
      const live = workload ?? (await readWorkload(deps, request, ref));
      return live !== undefined && planRestart(inputFor(deps, request, ref, live)).kind === "restart";
    } catch {
      return true;
    }
  };
  return (await Promise.all(found.map(isDue))).includes(true);
}

async function readWorkload(
  { cluster }: RestartDependencies,
  { target, budget }: RestartRequest,
  ref: WorkloadRef,
): Promise<RawObject | undefined> {
  const path = pathOfWorkload(ref, target.namespace);
  return (await cluster.callObject({ method: "GET", path }, budget)) as RawObject | undefined;
}

async function restartInSequence(
  deps: RestartDependencies,
  request: RestartRequest,
  found: readonly Found[],
): Promise<RestartOutcome[]> {
  const outcomes: RestartOutcome[] = [];
  for (const each of found) {
    const mustWait = outcomes.some(({ outcome }) => outcome === "failed");
    outcomes.push(
      mustWait
        ? outcomeOf(each.ref, "skipped", "RESTART_WAITS_FOR_ANOTHER")
        : await restartOne(deps, request, each),
    );
  }
  return outcomes;
}

/** `records`: record a completion. Otherwise it is only found. */
type OneRequest = RestartRequest & { readonly records?: true };

async function restartOne(
  deps: RestartDependencies,
  request: OneRequest,
  { ref, workload: listed }: Found,
): Promise<RestartOutcome> {
  const { cluster, wait } = deps;
  const { target, budget } = request;
  const path = pathOfWorkload(ref, target.namespace);
  let workload = listed;
  let sent: Step | undefined;
  for (let attempts = 1; ; attempts += 1) {
    try {
      workload ??= await readWorkload(deps, request, ref);
      if (workload === undefined) return outcomeOfMissing(ref, request);
      // The answer was lost, and the repeated patch met what the first one had changed.
      if (sent?.patch !== undefined && carries(workload, sent.patch)) return sent.outcome;
      const step = await nextStep(deps, request, { ref, workload });
      if (step.patch === undefined) return step.outcome;
      sent = step;
      const query = { fieldManager: READERS_FIELD_MANAGER };
      const patched = await cluster.callObject({ method: "PATCH", path, query, body: step.patch }, budget);
      return patched === undefined ? outcomeOfMissing(ref, request) : step.outcome;
    } catch (error) {
      const mayTryAgain = attempts < FENCE_POLICY.attemptsMax && !budget.signal.aborted;
      if (!(error instanceof FenceConflict) || !mayTryAgain) return outcomeOfError(ref, error);
      workload = undefined;
      await wait(backoffMs(FENCE_POLICY, attempts), budget.signal);
    }
  }
}

/** `outcome`: of the patch, or of the look if nothing is to be changed. */
type Step = { readonly patch?: AnnotationsPatch; readonly outcome: RestartOutcome };

async function nextStep(
  deps: RestartDependencies,
  request: OneRequest,
  { ref, workload }: Required<Found>,
): Promise<Step> {
  const input = inputFor(deps, request, ref, workload);
  const plan = planRestart(input);
  if (plan.kind === "already") return followRollout(deps, request, { ref, workload });
  if (plan.kind === "skip") {
    return { outcome: { ...outcomeOf(ref, "skipped", plan.code), ...untilIf(deps, plan.until) } };
  }
  const isRestart = plan.kind === "restart";
  if (request.plan) return { outcome: isRestart ? due(deps, request, ref) : outcomeOf(ref, "already") };
  // Both after the read of the workload: a Secret that is written later finds an older version recorded.
  const [isPending, others] = await Promise.all([
    isStillPending(deps, request),
    isRestart ? findOthersDue(deps.cluster, request, { ref, workload }) : [],
  ]);
  if (!isPending) return { outcome: outcomeOf(ref, "skipped", "RESTART_SUPERSEDED") };
  if (!isRestart) return { patch: plan.patch, outcome: outcomeOf(ref, "already") };
  const alsoFor = others.map(({ secretName }) => secretName);
  return {
    patch: restartPatch(input, others),
    outcome: { ...outcomeOf(ref, "restarted"), ...(alsoFor.length > 0 && { alsoFor }) },
  };
}

/** Within the delay, the invocation that wrote the Secret makes the restart. Later, a retry or a sweep does. */
function due(deps: RestartDependencies, { rule, pending }: RestartRequest, ref: WorkloadRef): RestartOutcome {
  return {
    ...outcomeOf(ref, "due"),
    ...untilIf(deps, pending.changedAt + rule.delaySeconds * 1_000),
  };
}

const untilIf = ({ now }: RestartDependencies, until = 0): Pick<RestartOutcome, "until"> =>
  until > now() ? { until: new Date(until).toISOString() } : {};

function followRollout(
  { now, rolloutDeadlineMs }: RestartDependencies,
  { target, pending, records }: OneRequest,
  { ref, workload }: Required<Found>,
): Step {
  const about = { kind: ref.kind, workload, secretName: target.name, pending };
  const progress = rolloutProgress({ ...about, now: now(), deadlineMs: rolloutDeadlineMs });
  const outcome = outcomeOf(ref, "already");
  if (progress.kind === "none") return { outcome };
  if (progress.kind === "open") {
    const since = new Date(progress.restartedAt).toISOString();
    return { outcome: { ...outcome, since, rollout: progress.rollout } };
  }
  const { completedAt } = progress;
  const done = { ...outcome, effectiveAt: new Date(completedAt).toISOString() };
  if (progress.kind === "recorded") return { outcome: done };
  const rollout = { state: "complete", completedAt } as const;
  return { ...(records && { patch: progress.patch }), outcome: { ...done, rollout } };
}

function inputFor(
  { now }: RestartDependencies,
  { target, rule, pending }: RestartRequest,
  { kind }: WorkloadRef,
  workload: RawObject,
): RestartInput {
  const { minimumIntervalSeconds } = rule;
  return { kind, workload, secretName: target.name, pending, minimumIntervalSeconds, now: now() };
}

async function isStillPending({ cluster }: RestartDependencies, request: RestartRequest): Promise<boolean> {
  const live = await cluster.readMetadata(request.target, request.budget);
  return live !== undefined && carriesPendingRestart(live, request.pending, request.ownMetadata);
}

/** A Secret is often created before the workloads that will read it. */
function outcomeOfMissing(ref: WorkloadRef, { pending }: RestartRequest): RestartOutcome {
  return pending.isFirst ? outcomeOf(ref, "already") : outcomeOf(ref, "refused", "WORKLOAD_MISSING");
}

function outcomeOf(ref: WorkloadRef, outcome: RestartOutcome["outcome"], code?: string): RestartOutcome {
  return { workload: nameOfWorkload(ref), outcome, ...(code !== undefined && { code }) };
}

function outcomeOfError(ref: { kind: WorkloadKind; name: string }, error: unknown): RestartOutcome {
  const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return outcomeOf(ref, ours.retryable ? "failed" : "refused", ours.code);
}

/** A workload with its managedFields is 5 to 20 kB. */
const WORKLOADS_PER_PAGE = 200;
/** Users of one Secret, per kind. */
const WORKLOADS_MAX = 5_000;

const REFUSAL_PAUSE_MS = 200;

/** Controllers write a workload's status several times during a rollout. */
const FENCE_POLICY: RetryPolicy = { attemptsMax: 6, pauseMs: 20, pauseMsMax: 500 };
