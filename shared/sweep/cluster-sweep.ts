import pMap from "p-map";
import type { AssessRules } from "../assess/observation.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { CallCounts } from "../runtime/call-counter.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Source } from "../source/source.ts";
import type { SyncDependencies } from "../sync/sync-source.ts";
import type { OrphansUnknown, SweepMode } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { Assessed } from "./target-row.ts";

export type SweepDependencies = Omit<SyncDependencies, "connect"> & {
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly source: Pick<Source, "describe" | "listStates" | "readMany">;
  /** Concurrent requests to one cluster. */
  readonly targetsAtOnce: number;
  /** The calls since the function started; a report holds the difference. */
  readonly calls: () => CallCounts;
};

/** The sweep of one cluster, or of a shard of it. */
export type ClusterSweep = SweepDependencies & {
  readonly clusterKey: string;
  readonly cluster: ClusterConnection;
  readonly items: readonly SweepItem[];
  readonly mode: SweepMode;
  readonly plan: boolean;
  readonly budget: TimeBudget;
  readonly rules: Pick<AssessRules, "ownMetadata" | "deletionGraceMs">;
  /** Whether any binding names that Secret of the cluster, in this shard or another. */
  readonly isBound: (namespace: string, name: string) => boolean;
  /** Secrets of the cluster that a publication unbound. */
  readonly unbound?: readonly { readonly namespace: string; readonly name: string }[];
  /** The other clusters in which a Secret of that name is bound. */
  readonly alsoBoundIn: (namespace: string, name: string) => Promise<readonly string[]>;
  /** Only one of the shards that share a namespace looks for orphans, so that each is reported once. */
  readonly judgesOrphansIn: (namespace: string) => boolean;
  /** The share of the shard's bindings that may be deleted, from 0 to 1; unless it is 0, at least one. */
  readonly deletionsShareMax: number;
  /** False for bindings from a local file, which may be older than the deployed bindings. */
  readonly mayDelete: boolean;
  /** Report targets that are in order too. */
  readonly inventory?: boolean;
  /** Check the Pods for all bindings, and not only for those with `checkPods`. */
  readonly checksAllPods?: boolean;
};

/** The assessed targets of one piece of a shard. */
export type Observed = {
  readonly assessed: readonly Assessed[];
  readonly orphansUnknown: readonly OrphansUnknown[];
};

export function mapConcurrently<T, R>(
  { targetsAtOnce }: SweepDependencies,
  items: Iterable<T>,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  return pMap(items, run, { concurrency: targetsAtOnce });
}
