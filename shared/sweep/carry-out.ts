import { keyChanges } from "../assess/changes.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { ClusterListedTwice, FenceConflict } from "../cluster/errors.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { SyncOutcome } from "../sync/outcome.ts";
import { syncSource } from "../sync/sync-source.ts";
import { atOnce } from "./at-once.ts";
import { nameOfSecret } from "./shard.ts";
import type { ShardRequest } from "./shard-request.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { type Assessed, rowOf, type TargetRow } from "./target-row.ts";

/** Writes through the fenced path of a rotation, all targets of the same sources together. */
export async function writeTargets(
  deps: SweepDependencies,
  request: ShardRequest,
  assessed: readonly Assessed[],
): Promise<TargetRow[]> {
  const { marks } = request.rules;
  const bySources = Map.groupBy(assessed, ({ binding }) => binding?.sources.map(keyOfSource).join(", "));
  const rows = await atOnce(deps, bySources.values(), async (ofSources) => {
    const bindings = ofSources.flatMap(({ binding }) => (binding === undefined ? [] : [binding]));
    const expectedVersionIds = new Map(ofSources.flatMap(expectedVersions));
    const outcomes = await syncSource(
      { ...deps, describe: deps.catalog.describe },
      { marks, bindings, budget: request.budget, isRepair: true, expectedVersionIds },
    );
    const byTarget = new Map(outcomes.map((outcome) => [nameOfSecret(outcome.target), outcome]));
    return ofSources.map((each) =>
      rowAfterSync(each, byTarget.get(nameOfSecret(each.verdict.target)), request),
    );
  });
  return rows.flat();
}

/** What was seen of each source; a write that reads another version reads once more. */
function expectedVersions({ binding, states = [] }: Assessed): [string, VersionId][] {
  return (binding?.sources ?? []).flatMap((source, index): [string, VersionId][] => {
    const state = states[index];
    return state?.kind === "current" ? [[keyOfSource(source), state.versionId]] : [];
  });
}

function rowAfterSync(
  assessed: Assessed,
  outcome: SyncOutcome | undefined,
  { rules: { marks } }: ShardRequest,
): TargetRow {
  if (outcome === undefined) throw new TypeError("A target of the sync has no outcome");
  const { restarts, nudge, eventFailure, verdict } = outcome;
  // The act decided upon a later observation. Where it refused, its reason is the one that counts.
  const isRefused = outcome.kind === "refused" || outcome.kind === "failed";
  const decided =
    isRefused && verdict?.finding
      ? { ...assessed, verdict: { ...assessed.verdict, finding: verdict.finding } }
      : assessed;
  return rowOf(decided, marks, {
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

/** Notes on the Secret that its source or binding is gone, or that it is back. */
export async function noteOnSecret(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  { verdict: { note }, binding, live }: Assessed,
): Promise<Pick<TargetRow, "outcome" | "code" | "advice">> {
  const { budget, mayDelete, rules } = request;
  const { annotations, fieldManager } = rules.marks;
  // A local file may be older than what is deployed: what it no longer names may well be bound.
  if (live === undefined || note === undefined || (note === "gone" && !mayDelete)) return {};
  const goneSince = note === "gone" ? new Date(deps.now()).toISOString() : null;
  const metadata = { annotations: { [annotations.goneSince]: goneSince } };
  try {
    if (binding === undefined) await checkOtherClusters(deps, request, live);
    await cluster.patchMetadata(live, { metadata, fieldManager }, budget);
    return {};
  } catch (error) {
    const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { outcome: error instanceof ClusterListedTwice ? "refused" : "failed", code, advice };
  }
}

/**
 * Deletes what is to be deleted, unless that is suspiciously much: wrong bindings, or an answer that is emptier than it
 * should be, would show as many orphans at once. Each Secret is deleted only in the state that was observed, and only
 * when its sources, asked again, are all still gone.
 */
export async function deleteWithinShare(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  deletable: readonly Assessed[],
): Promise<TargetRow[]> {
  const { marks } = request.rules;
  const deletionsMax = Math.max(1, Math.floor(request.items.length * request.deletionsShareMax));
  const isTooMuch =
    deletable.length > deletionsMax || (request.deletionsShareMax === 0 && deletable.length > 0);
  const rows: TargetRow[] = [];
  for (const assessed of deletable) {
    const { live } = assessed;
    const done =
      live === undefined || isTooMuch || !request.mayDelete
        ? ({ outcome: "held-back", ...(!request.mayDelete && LOCAL_BINDINGS) } as const)
        : await deleteTarget(deps, cluster, request, { ...assessed, live });
    rows.push(rowOf(assessed, marks, done));
  }
  return rows;
}

const LOCAL_BINDINGS = {
  code: "LOCAL_BINDINGS",
  advice: "A sweep with a local bindings file deletes nothing. The deployed reconcile function does.",
} as const;

type Done = Pick<TargetRow, "outcome" | "code" | "advice">;

async function deleteTarget(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  assessed: Assessed & { readonly live: LiveMetadata },
): Promise<Done> {
  const { live, verdict } = assessed;
  try {
    const kept =
      (await reasonToKeep(deps, request, assessed)) ?? (await checkOtherClusters(deps, request, live));
    if (kept !== undefined) return kept;
    const isDeleted = await cluster.deleteSecret(verdict.target, live, request.budget);
    return { outcome: isDeleted ? "deleted" : "unchanged" };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const isTransient = error.retryable || error instanceof FenceConflict; // the next sweep looks again
    return { outcome: isTransient ? "failed" : "refused", code: error.code, advice: error.message };
  }
}

/** Secrets Manager is eventually consistent: that a source is missing may come from a replica that lags. */
async function reasonToKeep(
  { catalog }: Pick<SweepDependencies, "catalog">,
  { budget }: ShardRequest,
  { binding }: Assessed,
): Promise<Done | undefined> {
  if (binding === undefined) return undefined; // an orphan has no source to ask for
  const states = await Promise.all(binding.sources.map((source) => catalog.describe(source, budget)));
  const unknown = states.find((state) => state.kind === "unknown");
  if (unknown?.kind === "unknown") return { outcome: "failed", code: unknown.code, advice: unknown.advice };
  return states.every(({ kind }) => kind === "missing") ? undefined : { outcome: "unchanged" };
}

/** Two entries of the bindings may lead to one API server: what one no longer wants, the other may keep. */
async function checkOtherClusters(
  deps: SweepDependencies,
  { cluster, alsoBoundIn, budget }: ShardRequest,
  { namespace, name, uid }: LiveMetadata,
): Promise<undefined> {
  for (const other of alsoBoundIn(namespace, name)) {
    const there = await deps.connect(other).readMetadata({ namespace, name }, budget);
    if (there?.uid === uid) throw new ClusterListedTwice(cluster, other);
  }
  return undefined;
}
