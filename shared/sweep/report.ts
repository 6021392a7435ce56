import type { TargetRef } from "../bindings/binding.ts";
import type { Collision } from "../render/merge-data.ts";
import type { RestartOutcome } from "../workloads/outcome.ts";
import type { Finding } from "./finding.ts";

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
  /** Shards that were handed to the queue; their bindings are not among those above. */
  readonly shardsQueued: number;
  readonly findings: readonly Finding[];
  /** Bindings that could not be compared: this is not "no drift". */
  readonly unchecked: readonly Unchecked[];
  /** What a sweep with more rights would have seen besides. */
  readonly unseen: readonly Unseen[];
  readonly calls: CallCounts;
  /** Restarts that were still due though the Secret is as it should be; absent when there were none. */
  readonly madeUp?: readonly MadeUp[];
  /** What the values told besides, of bindings in order too; absent when there was nothing. */
  readonly remarks?: readonly Remark[];
  /** Only where it was asked for: what is in order. With findings and unchecked, that is every binding. */
  readonly inventory?: readonly InOrder[];
};

/** What is no drift, and worth knowing. Only a sweep by values sees it. */
export type Remark = {
  readonly target: TargetRef;
  readonly source: string;
  /** Of kubernetes.io/tls: until the first certificate runs out; below zero once it has. */
  readonly certificateExpiresInDays?: number;
  /** Keys that several sources make; the last one's is taken. */
  readonly collisions?: readonly Collision[];
};

/** A binding whose target is as it should be. */
export type InOrder = {
  readonly target: TargetRef;
  readonly source: string;
  /** As the Secret's annotations tell. */
  readonly versionId?: string;
  readonly writtenAt?: string;
  /** When anything about the source last changed, where the sweep listed it. */
  readonly sourceChangedAt?: string;
};

export type MadeUp = {
  readonly target: TargetRef;
  readonly source: string;
  readonly restarts: readonly RestartOutcome[];
};

export type Unchecked = {
  readonly target: TargetRef;
  readonly source: string;
  readonly code: string;
  readonly advice: string;
};

export type Unseen = {
  readonly what: "orphans";
  readonly cluster: string;
  readonly namespace: string;
  readonly code: string;
};

export type CallCounts = { readonly aws: number; readonly kubernetes: number; readonly throttles: number };

/** Every binding was compared, and nothing was left to other invocations. */
export function isComplete(report: SweepReport): boolean {
  return report.unchecked.length === 0 && report.shardsQueued === 0;
}
