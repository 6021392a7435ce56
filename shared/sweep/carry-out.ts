import { keyChanges } from "../assess/changes.ts";
import { RulesSuperseded, RulesUnknown } from "../bindings/published/errors.ts";
import { ClusterListedTwice, FenceConflict } from "../cluster/errors.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { VersionId } from "../source/secret-id.ts";
import { noteGone } from "../sync/note-gone.ts";
import { outcomeOfError, type SyncOutcome } from "../sync/outcome.ts";
import { syncSource } from "../sync/sync-source.ts";
import { type ClusterSweep, mapConcurrently } from "./cluster-sweep.ts";
import { nameOfSecret } from "./shard.ts";
import { type Assessed, rowOf, type TargetRow } from "./target-row.ts";

/** Writes through the fence of a rotation, all targets of the same sources together. */
export async function writeTargets(sweep: ClusterSweep, assessed: readonly Assessed[]): Promise<TargetRow[]> {
  const { ownMetadata } = sweep.rules;
  const bySources = Map.groupBy(assessed, ({ binding }) => binding?.sources.map(keyOfSource).join(", "));
  const rows = await mapConcurrently(sweep, bySources.values(), async (ofSources) => {
    const bindings = ofSources.flatMap(({ binding }) => (binding === undefined ? [] : [binding]));
    const expectedVersionIds = new Map(ofSources.flatMap(expectedVersions));
    const outcomes = await syncSource(
      { ...sweep, describe: sweep.source.describe },
      { ownMetadata, bindings, budget: sweep.budget, isRepair: true, expectedVersionIds },
    ).catch((error: unknown) => {
      if (!(error instanceof RulesSuperseded)) throw error;
      return bindings.map((binding): SyncOutcome => outcomeOfError(binding.target, error));
    });
    const byTarget = new Map(outcomes.map((outcome) => [nameOfSecret(outcome.target), outcome]));
    return ofSources.map((each) =>
      rowAfterSync(each, byTarget.get(nameOfSecret(each.verdict.target)), sweep),
    );
  });
  return rows.flat();
}

/** The observed version of each source. A sync that reads another version repeats the read. */
function expectedVersions({ binding, states = [] }: Assessed): [string, VersionId][] {
  return (binding?.sources ?? []).flatMap((source, index): [string, VersionId][] => {
    const state = states[index];
    return state?.kind === "current" ? [[keyOfSource(source), state.versionId]] : [];
  });
}

function rowAfterSync(
  assessed: Assessed,
  outcome: SyncOutcome | undefined,
  { rules: { ownMetadata } }: ClusterSweep,
): TargetRow {
  if (outcome === undefined) throw new TypeError("A target of the sync has no outcome");
  const { restarts, nudge, eventFailure, verdict } = outcome;
  // The sync observed the target again later. If it refused, its finding replaces the sweep's.
  const isRefused = outcome.kind === "refused" || outcome.kind === "failed";
  const { finding = null } = (isRefused && verdict) || {};
  const latest = finding === null ? assessed : { ...assessed, verdict: { ...assessed.verdict, finding } };
  return rowOf(latest, ownMetadata, {
    outcome: outcome.kind,
    ...(isRefused && { code: outcome.code, advice: outcome.advice }),
    ...(outcome.kind === "written" && {
      changes: keyChanges(outcome.changes),
      ...(outcome.collisions && { collisions: outcome.collisions }),
    }),
    ...(restarts && { restarts }),
    ...(nudge && { nudge }),
    ...(eventFailure !== undefined && { eventFailure }),
  });
}

/** Annotates the Secret that its source or binding is gone, or removes that annotation. */
export async function noteOnSecret(
  sweep: ClusterSweep,
  { verdict: { note }, binding, live }: Assessed,
): Promise<Pick<TargetRow, "outcome" | "code" | "advice">> {
  const { budget, mayDelete, rules } = sweep;
  // A local file may be older than the deployed bindings, which may still bind the Secret.
  if (live === undefined || note === undefined || (note === "gone" && !mayDelete)) return {};
  try {
    if (binding === undefined) await checkOtherClusters(sweep, live);
    await requireRules(sweep);
    const goneSince = note === "gone" ? sweep.now() : null;
    await noteGone(sweep.cluster, live, goneSince, { ownMetadata: rules.ownMetadata, budget });
    return {};
  } catch (error) {
    const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { outcome: error instanceof ClusterListedTwice ? "refused" : "failed", code, advice };
  }
}

/**
 * Deletes the deletable Secrets, unless they exceed the allowed share: wrong bindings or an incomplete list would produce
 * many orphans at once. Each Secret is deleted only in the observed state, and only after another read confirms that all
 * its sources are missing.
 */
export async function deleteWithinShare(
  sweep: ClusterSweep,
  deletable: readonly Assessed[],
): Promise<TargetRow[]> {
  const { ownMetadata } = sweep.rules;
  const deletionsMax = Math.max(1, Math.floor(sweep.items.length * sweep.deletionsShareMax));
  const isTooMuch = deletable.length > deletionsMax || sweep.deletionsShareMax === 0;
  const rows: TargetRow[] = [];
  for (const assessed of deletable) {
    const { live } = assessed;
    const done =
      live === undefined || isTooMuch || !sweep.mayDelete
        ? ({ outcome: "held-back", ...(!sweep.mayDelete && LOCAL_BINDINGS) } as const)
        : await deleteTarget(sweep, { ...assessed, live });
    rows.push(rowOf(assessed, ownMetadata, done));
  }
  return rows;
}

const LOCAL_BINDINGS = {
  code: "LOCAL_BINDINGS",
  advice: "A sweep with a local bindings file deletes nothing. The deployed reconcile function does.",
} as const;

type Done = Pick<TargetRow, "outcome" | "code" | "advice">;

async function deleteTarget(
  sweep: ClusterSweep,
  assessed: Assessed & { readonly live: LiveMetadata },
): Promise<Done> {
  const { live, verdict } = assessed;
  try {
    const kept = (await reasonToKeep(sweep, assessed)) ?? (await checkOtherClusters(sweep, live));
    if (kept !== undefined) return kept;
    await requireRules(sweep); // after the Secret was observed, as in every fence
    const isDeleted = await sweep.cluster.deleteSecret(verdict.target, live, sweep.budget);
    return { outcome: isDeleted ? "deleted" : "unchanged" };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const isTransient = error.retryable || error instanceof FenceConflict; // the next sweep tries again
    return { outcome: isTransient ? "failed" : "refused", code: error.code, advice: error.message };
  }
}

/** Only rules that are certainly in force delete a Secret, or note that it may be deleted. */
async function requireRules({ checkRules, budget }: ClusterSweep): Promise<void> {
  const check = await checkRules(budget);
  if (check === "superseded") throw new RulesSuperseded();
  if (check === "unknown") throw new RulesUnknown();
}

/** Secrets Manager is eventually consistent: a source may be missing only on a lagging replica. */
async function reasonToKeep(
  { source: { describe }, budget }: ClusterSweep,
  { binding }: Assessed,
): Promise<Done | undefined> {
  if (binding === undefined) return undefined; // an orphan has no source to describe
  const states = await Promise.all(binding.sources.map((source) => describe(source, budget)));
  const unknown = states.find((state) => state.kind === "unknown");
  if (unknown?.kind === "unknown") return { outcome: "failed", code: unknown.code, advice: unknown.advice };
  return states.every(({ kind }) => kind === "missing") ? undefined : { outcome: "unchanged" };
}

/** Two entries under `clusters` may lead to the same API server, and the other one may still bind the Secret. */
async function checkOtherClusters(
  { connect, clusterKey, alsoBoundIn, budget }: ClusterSweep,
  { namespace, name, uid }: LiveMetadata,
): Promise<undefined> {
  for (const other of await alsoBoundIn(namespace, name)) {
    const secret = await connect(other).readMetadata({ namespace, name }, budget);
    if (secret?.uid === uid) throw new ClusterListedTwice(clusterKey, other);
  }
  return undefined;
}
