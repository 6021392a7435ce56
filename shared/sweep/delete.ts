import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { FenceConflict } from "../cluster/errors.ts";
import { RelayError } from "../relay-error.ts";
import type { Action, Finding } from "./finding.ts";
import type { ShardRequest, Sighting } from "./look.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/**
 * Deletes what is to be deleted, unless that is suspiciously much: a wrong bindings file, or an answer that is emptier
 * than it should be, would show as many orphans at once. Each Secret is deleted only in the state that was looked at,
 * and only when its sources, asked again, are all still gone.
 */
export async function deleteWithinShare(
  deps: Pick<SweepDependencies, "catalog">,
  cluster: ClusterConnection,
  request: ShardRequest,
  sightings: readonly Sighting[],
): Promise<Finding[]> {
  const deletionsMax = Math.max(1, Math.floor(request.items.length * request.deletionsShareMax));
  const isTooMuch =
    sightings.length > deletionsMax || (request.deletionsShareMax === 0 && sightings.length > 0);
  const findings: Finding[] = [];
  for (const { diagnosis, item, live } of sightings) {
    const { remedy: _remedy, ...finding } = diagnosis;
    const action: Action =
      isTooMuch || live === undefined
        ? { kind: "held-back" }
        : ((await reasonToKeep(deps, request, item)) ??
          (await deleteTarget(cluster, request, finding.target, live)));
    findings.push({ ...finding, action });
  }
  return findings;
}

/** Secrets Manager is eventually consistent: that a source is missing may be the word of a replica that lags. */
async function reasonToKeep(
  { catalog }: Pick<SweepDependencies, "catalog">,
  { budget }: ShardRequest,
  item: Sighting["item"],
): Promise<Action | undefined> {
  if (item === undefined) return undefined; // an orphan has no source to ask for
  const { sources } = item.binding;
  const states = await Promise.all(sources.map((source) => catalog.describe(source, budget)));
  const unreadable = states.find((state) => state.kind === "unreadable");
  if (unreadable?.kind === "unreadable") {
    return { kind: "failed", code: unreadable.code, advice: unreadable.advice };
  }
  return states.every(({ kind }) => kind === "missing") ? undefined : { kind: "already-right" };
}

async function deleteTarget(
  cluster: ClusterConnection,
  { budget }: ShardRequest,
  target: Finding["target"],
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
): Promise<Action> {
  try {
    const isDeleted = await cluster.deleteSecret(target, { uid, resourceVersion }, budget);
    return { kind: isDeleted ? "deleted" : "already-right" };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    // Somebody changed it since we looked: the next sweep looks again.
    if (error instanceof FenceConflict) return { kind: "failed", code: error.code, advice: error.message };
    return { kind: error.retryable ? "failed" : "refused", code: error.code, advice: error.message };
  }
}
