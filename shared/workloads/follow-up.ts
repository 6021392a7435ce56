import type { Binding } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import type { RelayMarks } from "../identity/relay-identity.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../retry/retry.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { ReaderCluster } from "./list-objects.ts";
import { noticeOn } from "./notice.ts";
import { nudgePods } from "./nudge-pods.ts";
import type { FollowUpOutcome } from "./outcome.ts";
import { type EventNote, postEvent } from "./post-event.ts";
import { restartWorkloads } from "./restart-workloads.ts";

/** What became of a target, as far as its readers care. */
export type Settled = {
  readonly binding: Binding;
  readonly marks: RelayMarks;
  /** As it is now, where it is known. */
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

/** Everything that a binding wants done once its Secret is settled. Never throws: the Secret stays written. */
export const followUpWith =
  (deps: FollowUpDependencies): FollowUp =>
  async ({ binding, marks, secret, was }, budget) => {
    const { target, restart, nudge, events } = binding;
    const cluster = deps.connect(target.cluster);
    const notice = was.kind === "refused" || !secret ? undefined : noticeOn(secret, was.versionId, marks);
    const note = events === true ? noteOf({ binding, marks, was, ...(secret && { secret }) }) : undefined;
    const [eventFailure, nudged, restarts] = await Promise.all([
      note && codeIfFails(postEvent(cluster, target, note, { now: deps.now(), budget })),
      notice && notice.impliedBy === undefined && nudge === true
        ? nudgePods(cluster, target, notice, budget)
        : undefined,
      notice && restart
        ? restartWorkloads({ ...deps, cluster }, { target, marks, rule: restart, notice, budget })
        : undefined,
    ]);
    return {
      ...(restarts && { restarts }),
      ...(nudged && { nudge: nudged }),
      ...(eventFailure !== undefined && { eventFailure }),
    };
  };

function noteOf({ binding, secret, was }: Settled): EventNote | undefined {
  if (was.kind === "unchanged") return undefined;
  const seen = secret && { secret: { uid: secret.uid, resourceVersion: secret.resourceVersion } };
  const identity = [secret?.uid ?? "", was.kind === "refused" ? was.code : (secret?.resourceVersion ?? "")];
  if (was.kind === "refused") {
    return { reason: "SecretSyncRefused", note: `${was.code}: ${was.advice}`, identity, ...seen };
  }
  const [reason, verb] = TOLD_AS[was.kind];
  const note = `${verb} from ${nameOfSources(binding)}, version ${was.versionId}`;
  return { reason, note, identity, ...seen };
}

const TOLD_AS = {
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
