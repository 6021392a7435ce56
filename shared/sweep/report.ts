import type { CallCounts } from "../runtime/call-counter.ts";
import type { TargetRow } from "./target-row.ts";

export type SweepMode = "metadata" | "values";

/** The report of one sweep, or of one shard of it. Its JSON Schema is report.schema.json. */
export type SweepReport = {
  readonly version: 1;
  readonly sweepId: string;
  readonly mode: SweepMode;
  readonly plan: boolean;
  /** Present if a command made the report: which installation it is about. */
  readonly where?: SweepPlace;
  /** The generation of the published bindings that the sweep follows. */
  readonly generation?: number;
  /** Only what publications changed since this generation; a sweep of all bindings follows. */
  readonly since?: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly bindings: number;
  /** The bindings that could be compared. */
  readonly checked: number;
  /** Shards sent to the queue; their bindings are not counted above. */
  readonly shardsQueued: number;
  /**
   * Every target that is not in order or has workloads to restart or to follow, with orphans; with an inventory, every
   * binding.
   */
  readonly targets: readonly TargetRow[];
  /** Namespaces that the relay cannot list, for lack of permission or because of their size. */
  readonly orphansUnknown: readonly OrphansUnknown[];
  readonly calls: CallCounts;
};

export type SweepPlace = {
  readonly account: string;
  readonly region: string;
  /** Absent for a local bindings file. */
  readonly stack?: string;
  /** Absent if the deployed function swept, since it does not name its relay. */
  readonly relay?: string;
};

export type OrphansUnknown = { readonly cluster: string; readonly namespace: string; readonly code: string };

export function isComplete({ checked, bindings, shardsQueued }: SweepReport): boolean {
  return checked === bindings && shardsQueued === 0;
}
