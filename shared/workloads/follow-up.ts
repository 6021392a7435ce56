import type { Binding } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { FollowUpMessage } from "./follow-up-message.ts";
import { nudgePods } from "./nudge-pods.ts";
import { type FollowUpOutcome, isOpen, type RestartOutcome } from "./outcome.ts";
import { type PendingRestart, pendingRestartOn } from "./pending-restart.ts";
import { withPodReasons } from "./pod-reasons.ts";
import { type EventNote, postEvent } from "./post-event.ts";
import { restartWorkloads } from "./restart-workloads.ts";
import { rotationOf } from "./rotation.ts";
import type { ReaderCluster } from "./workload.ts";

/** The result of a sync, for the follow-up actions. */
export type Settled = {
  readonly binding: Binding;
  readonly ownMetadata: RelayMetadata;
  /** Its current metadata, if known. */
  readonly secret?: LiveMetadata;
  readonly was:
    | { readonly kind: "created" | "updated" | "repaired" | "unchanged"; readonly versionId: VersionId }
    | { readonly kind: "refused"; readonly code: string; readonly advice: string };
  /** Only look at the workloads, and change nothing. */
  readonly plan?: true;
  /** The caller may list Pods, whatever the binding says. */
  readonly listsPods?: true;
  /** The message by which the relay looks again; absent at the first look, and in a sweep. */
  readonly following?: FollowUpMessage;
};

export type FollowUp = (settled: Settled, budget: TimeBudget) => Promise<FollowUpOutcome>;

export type FollowUpDependencies = {
  readonly connect: (clusterKey: string) => ReaderCluster;
  readonly now: () => number;
  readonly wait: Wait;
  readonly rolloutDeadlineMs: number;
};

/** Runs the follow-up actions of a binding. Never throws, because the Secret is already written. */
export const followUpWith =
  (deps: FollowUpDependencies): FollowUp =>
  async ({ binding, ownMetadata, secret, was, plan = false, listsPods = false }, budget) => {
    const { target, restart, nudge, checkPods, events } = binding;
    const cluster = deps.connect(target.cluster);
    const pending =
      was.kind === "refused" || !secret ? undefined : pendingRestartOn(secret, was.versionId, ownMetadata);
    const event =
      events === true && !plan
        ? eventFor({ binding, ownMetadata, was, ...(secret && { secret }) })
        : undefined;
    const [eventFailure, nudged, restarts] = await Promise.all([
      event && codeIfFails(postEvent(cluster, target, event, { now: deps.now(), budget })),
      pending && pending.impliedBy === undefined && nudge === true && !plan
        ? nudgePods(cluster, target, pending, budget)
        : undefined,
      pending && restart
        ? restartWorkloads(
            { ...deps, cluster },
            { target, ownMetadata, rule: restart, pending, plan, budget },
          )
        : undefined,
    ]);
    const mayListPods = listsPods || checkPods === true || nudge === true; // the rights of both include it
    const explained =
      pending && restarts && mayListPods
        ? await withPodReasons(cluster, { target, pending, budget }, restarts)
        : restarts && { restarts };
    const rotation = pending && restarts && rotationOf(restarts, pending);
    return {
      ...explained,
      ...(rotation && { rotation }),
      ...(restarts && effectiveBy(restarts, pending, plan)),
      ...(nudged && { nudge: nudged }),
      ...(eventFailure !== undefined && { eventFailure }),
    };
  };

/** When the last restarted workload completes, and no other is open. */
function effectiveBy(
  restarts: readonly RestartOutcome[],
  pending: PendingRestart | undefined,
  plan: boolean,
): Pick<FollowUpOutcome, "effective"> {
  const isLast = restarts.some(({ rollout }) => rollout?.state === "complete");
  const isWaiting = restarts.some((restart) => isOpen(restart) || restart.rollout?.state === "stuck");
  if (plan || pending === undefined || !isLast || isWaiting) return {};
  const at = Math.max(...restarts.map(({ effectiveAt }) => Date.parse(effectiveAt ?? "") || 0));
  const afterMs = Math.max(0, at - (pending.movedAt ?? pending.changedAt));
  return { effective: { at: new Date(at).toISOString(), afterMs } };
}

function eventFor({ binding, secret, was }: Settled): EventNote | undefined {
  if (was.kind === "unchanged") return undefined;
  const regarding = secret && { secret: { uid: secret.uid, resourceVersion: secret.resourceVersion } };
  const identity = [secret?.uid ?? "", was.kind === "refused" ? was.code : (secret?.resourceVersion ?? "")];
  if (was.kind === "refused") {
    return { reason: "SecretSyncRefused", note: `${was.code}: ${was.advice}`, identity, ...regarding };
  }
  const [reason, verb] = EVENT_REASONS[was.kind];
  const note = `${verb} from ${nameOfSources(binding)}, version ${was.versionId}`;
  return { reason, note, identity, ...regarding };
}

const EVENT_REASONS = {
  created: ["SecretCreated", "Created"],
  updated: ["SecretUpdated", "Updated"],
  repaired: ["SecretDriftRepaired", "Drift repaired"],
} as const;

async function codeIfFails(run: Promise<void>): Promise<string | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    return (error instanceof RelayError ? error : UnexpectedFault.from(error)).code;
  }
}
