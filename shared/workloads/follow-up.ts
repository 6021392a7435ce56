import type { Binding } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { VersionId } from "../source/secret-id.ts";
import { nudgePods } from "./nudge-pods.ts";
import type { FollowUpOutcome } from "./outcome.ts";
import { pendingRestartOn } from "./pending-restart.ts";
import { type EventNote, postEvent } from "./post-event.ts";
import { restartWorkloads } from "./restart-workloads.ts";
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
};

export type FollowUp = (settled: Settled, budget: TimeBudget) => Promise<FollowUpOutcome>;

export type FollowUpDependencies = {
  readonly connect: (clusterKey: string) => ReaderCluster;
  readonly now: () => number;
  readonly wait: Wait;
};

/** Runs the follow-up actions of a binding. Never throws, because the Secret is already written. */
export const followUpWith =
  (deps: FollowUpDependencies): FollowUp =>
  async ({ binding, ownMetadata, secret, was }, budget) => {
    const { target, restart, nudge, events } = binding;
    const cluster = deps.connect(target.cluster);
    const pending =
      was.kind === "refused" || !secret ? undefined : pendingRestartOn(secret, was.versionId, ownMetadata);
    const event =
      events === true ? eventFor({ binding, ownMetadata, was, ...(secret && { secret }) }) : undefined;
    const [eventFailure, nudged, restarts] = await Promise.all([
      event && codeIfFails(postEvent(cluster, target, event, { now: deps.now(), budget })),
      pending && pending.impliedBy === undefined && nudge === true
        ? nudgePods(cluster, target, pending, budget)
        : undefined,
      pending && restart
        ? restartWorkloads({ ...deps, cluster }, { target, ownMetadata, rule: restart, pending, budget })
        : undefined,
    ]);
    return {
      ...(restarts && { restarts }),
      ...(nudged && { nudge: nudged }),
      ...(eventFailure !== undefined && { eventFailure }),
    };
  };

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
