import pMap from "p-map";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import { ANNOTATIONS, MANAGED_SELECTOR } from "../../shared/render/ownership-marks.ts";
import { keyOfSource } from "../../shared/secret-id/key-of-source.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { describeOnce } from "../../shared/sweep/describe-once.ts";
import { observeSources } from "../../shared/sweep/observe-sources.ts";
import { spareCluster } from "../../shared/sweep/spare-cluster.ts";
import { stateOfAll } from "../../shared/sweep/state-of-all.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "./open-live.ts";

/** One binding as it is now: its source and its target, both without a value. */
export type Sight = {
  readonly binding: Binding;
  /** Of each source, in the binding's order. */
  readonly sources: readonly SourceState[];
  /** What they come to together. */
  readonly source: SourceState;
  readonly target: TargetSight;
};

export type TargetSight =
  | { readonly kind: "there"; readonly live: LiveMetadata }
  | { readonly kind: "absent" }
  /** We could not look, which says nothing about the target. */
  | { readonly kind: "unseen"; readonly code: string; readonly advice: string };

/**
 * Looks at each binding by metadata alone. What cannot be looked at is told, and holds up nothing.
 *
 * As a sweep does it: many sources are listed instead of described, and a namespace with many targets is listed where
 * that is allowed. Listed sources may be five minutes old, so what a list says differs is described.
 */
export async function sightBindings(
  live: Live,
  groups: readonly SourceBindings[],
  budget: TimeBudget,
): Promise<Sight[]> {
  const catalog = describeOnce(live.catalog);
  const bindings = groups.flatMap((group) => group.bindings);
  const all = bindings.flatMap((binding) => binding.sources);
  const sources = [...new Map(all.map((source) => [keyOfSource(source), source])).values()];
  const listed = await observeSources(catalog, { sources, self: live.aws.home, budget });
  const sightTarget = targetSights(live, groups, budget);
  const describeAll = ({ sources }: Binding): Promise<SourceState[]> =>
    Promise.all(sources.map((source) => catalog.describe(source, budget)));
  const look = async (binding: Binding): Promise<Sight> => {
    const states = binding.sources.map((source) => listed.get(keyOfSource(source)));
    const known = states.filter((state) => state !== undefined);
    const isListed = known.length === states.length;
    const [target, seen] = await Promise.all([sightTarget(binding), isListed ? known : describeAll(binding)]);
    const isCertain = !isListed || isSame(target, stateOfAll(seen));
    const sources = isCertain ? seen : await describeAll(binding);
    return { binding, target, sources, source: stateOfAll(sources) };
  };
  return pMap(
    bindings,
    look,
    // Each look makes two calls, one to a place that counts them for itself.
    { concurrency: live.targetsAtOnce * 4 },
  );
}

function isSame(target: TargetSight, source: SourceState): boolean {
  const held = target.kind === "there" ? target.live.annotations[ANNOTATIONS.versionId] : undefined;
  return source.kind === "current" && source.versionId === held;
}

/** A namespace with more targets than this is listed: a page holds 500, and a read one. */
const READ_ONE_BY_ONE_MAX = 5;

function targetSights(live: Live, groups: readonly SourceBindings[], budget: TimeBudget) {
  const targets = groups.flatMap(({ bindings }) => bindings.map(({ target }) => target));
  const counts = Map.groupBy(targets, ({ cluster, namespace }) => `${cluster}/${namespace}`);
  const clusters = new Map<string, ClusterConnection>();
  const lists = new Map<string, Promise<ReadonlyMap<string, LiveMetadata>>>();
  const clusterOf = (key: string): ClusterConnection => {
    const known = clusters.get(key) ?? spareCluster(live.connect(key));
    clusters.set(key, known);
    return known;
  };
  return async ({ target }: Binding): Promise<TargetSight> => {
    const { cluster, namespace, name } = target;
    const place = `${cluster}/${namespace}`;
    try {
      const isListed = (counts.get(place)?.length ?? 0) > READ_ONE_BY_ONE_MAX;
      const list = isListed
        ? (lists.get(place) ?? listManaged(clusterOf(cluster), namespace, budget))
        : undefined;
      if (list !== undefined) lists.set(place, list);
      // What carries no label of ours is not in the list: it may be foreign, or tampered with.
      const found = (await list)?.get(name) ?? (await clusterOf(cluster).readMetadata(target, budget));
      return found === undefined ? { kind: "absent" } : { kind: "there", live: found };
    } catch (error) {
      const { code, message } = error instanceof RelayError ? error : UnexpectedFault.from(error);
      return { kind: "unseen", code, advice: message };
    }
  };
}

/** Empty for somebody who may read Secrets by name alone. */
async function listManaged(
  cluster: ClusterConnection,
  namespace: string,
  budget: TimeBudget,
): Promise<ReadonlyMap<string, LiveMetadata>> {
  try {
    const listed = await cluster.listMetadata(namespace, MANAGED_SELECTOR, budget);
    return new Map(listed.map((secret) => [secret.name, secret]));
  } catch (error) {
    if (error instanceof ClusterForbidden) return new Map();
    throw error;
  }
}
