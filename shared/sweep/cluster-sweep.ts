import type { AssessRules } from "../assess/observation.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { OrphansUnknown, SweepMode } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import type { Assessed } from "./target-row.ts";

/** The sweep of one cluster, or of a shard of it: everything that its steps need. */
export type ClusterSweep = SweepDependencies & {
  readonly clusterKey: string;
  readonly cluster: ClusterConnection;
  readonly items: readonly SweepItem[];
  readonly mode: SweepMode;
  readonly plan: boolean;
  readonly budget: TimeBudget;
  readonly rules: Pick<AssessRules, "marks" | "deletionGraceMs">;
  /** Whether any binding names that Secret of the cluster, in this shard or another. */
  readonly isBound: (namespace: string, name: string) => boolean;
  /** The other clusters in which a Secret of that name is bound. */
  readonly alsoBoundIn: (namespace: string, name: string) => readonly string[];
  /** Of the shards that share a namespace only one looks for orphans, so that each orphan is reported once. */
  readonly judgesOrphansIn: (namespace: string) => boolean;
  /** The share of the shard's bindings that may be deleted, from 0 to 1; unless it is 0, at least one. */
  readonly deletionsShareMax: number;
  /** False where the bindings come from a local file, which may be older than what is deployed. */
  readonly mayDelete: boolean;
  /** Report targets that are in order too. */
  readonly inventory?: boolean;
};

/** The assessed targets of one piece of a shard. */
export type Observed = {
  readonly assessed: readonly Assessed[];
  readonly orphansUnknown: readonly OrphansUnknown[];
};
