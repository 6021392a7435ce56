import type { Binding } from "../bindings/binding.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { Diagnosis } from "./finding.ts";
import type { InOrder, Remark, SweepMode, Unchecked, Unseen } from "./report.ts";
import type { SweepItem } from "./shard.ts";

export type ShardRequest = {
  readonly cluster: string;
  readonly items: readonly SweepItem[];
  readonly mode: SweepMode;
  readonly plan: boolean;
  readonly budget: TimeBudget;
  /** Is there any binding for that Secret of the cluster, in this shard or another? */
  readonly isBound: (namespace: string, name: string) => boolean;
  /** Of the shards that share a namespace one looks for orphans, or each orphan would be told by all of them. */
  readonly judgesOrphansIn: (namespace: string) => boolean;
  /** At most this share of the shard's bindings is deleted, and one in any case. */
  readonly deletionsShareMax: number;
  /** Tell what is in order, too. */
  readonly inventory?: boolean;
};

/** What looking at a part of a shard gave. */
export type Look = {
  readonly diagnoses: readonly Sighting[];
  readonly unchecked: readonly Unchecked[];
  readonly unseen: readonly Unseen[];
  /** In order, but with workloads that may still have to be restarted. */
  readonly restartable: readonly Restartable[];
  /** Empty but in a sweep by values. */
  readonly remarks: readonly Remark[];
  /** Empty unless an inventory was asked for. */
  readonly inOrder: readonly InOrder[];
};

export type Restartable = { readonly binding: Binding; readonly live: LiveMetadata };

/** A diagnosis with what its remedy needs. */
export type Sighting = {
  readonly diagnosis: Diagnosis;
  /** Absent for an orphan. */
  readonly item?: SweepItem;
  /** The one state that may be deleted. */
  readonly live?: { readonly uid: string; readonly resourceVersion: string };
  /** What was seen of each source, by its key; a repair that reads another version reads once more. */
  readonly versionIds?: ReadonlyMap<string, VersionId>;
};
