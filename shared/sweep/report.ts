import type { RestartOutcome } from "../workloads/outcome.ts";
import type { TargetRow } from "./target-row.ts";

export type SweepMode = "metadata" | "values";

/** What one sweep, or one shard of it, saw and did. Its JSON Schema is report.schema.json. */
export type SweepReport = {
  readonly version: 1;
  readonly sweepId: string;
  readonly mode: SweepMode;
  /** True when nothing was to be changed. */
  readonly plan: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Bindings that this report is about. */
  readonly bindings: number;
  /** Of those, the ones that could be compared. */
  readonly checked: number;
  /** Shards that were sent to the queue; their bindings are not among those above. */
  readonly shardsQueued: number;
  /** Everything that is not simply in order, orphans included; with an inventory every binding. */
  readonly targets: readonly TargetRow[];
  /** Namespaces that may not be listed, or whose list is too large: orphans there are unknown. */
  readonly orphansUnknown: readonly OrphansUnknown[];
  readonly calls: CallCounts;
  /** Restarts that were still due although the Secret is in order; absent when there were none. */
  readonly retriedRestarts?: readonly RetriedRestarts[];
};

export type OrphansUnknown = { readonly cluster: string; readonly namespace: string; readonly code: string };

export type RetriedRestarts = {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  readonly restarts: readonly RestartOutcome[];
};

export type CallCounts = { readonly aws: number; readonly kubernetes: number; readonly throttles: number };

/** Every binding was compared, and nothing was left to other invocations. */
export function isComplete({ checked, bindings, shardsQueued }: SweepReport): boolean {
  return checked === bindings && shardsQueued === 0;
}
