import type { AssessRules } from "../assess/observation.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { OrphansUnknown, SweepMode } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { Assessed } from "./target-row.ts";

export type ShardRequest = {
  readonly cluster: string;
  readonly items: readonly SweepItem[];
  readonly mode: SweepMode;
  readonly plan: boolean;
  readonly budget: TimeBudget;
  readonly rules: Pick<AssessRules, "marks" | "deletionGraceMs">;
  /** Whether any binding names that Secret of the cluster, in this shard or another. */
  readonly isBound: (namespace: string, name: string) => boolean;
  /** The other clusters in which a Secret of that name is bound. */
  readonly alsoBoundIn: (namespace: string, name: string) => readonly string[];
  /** Of the shards that share a namespace one looks for orphans, or all of them would report each orphan. */
  readonly judgesOrphansIn: (namespace: string) => boolean;
  /** At most this share of the shard's bindings is deleted, and one in any case. */
  readonly deletionsShareMax: number;
  /** False where the bindings come from a local file, which may be older than what is deployed. */
  readonly mayDelete: boolean;
  /** Report what is in order, too. */
  readonly inventory?: boolean;
};

/** What observing a part of a shard gave. */
export type Observed = {
  readonly assessed: readonly Assessed[];
  readonly orphansUnknown: readonly OrphansUnknown[];
};
