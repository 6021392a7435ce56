import type { SQSBatchResponse } from "aws-lambda";
import { keyChanges } from "../../shared/assess/changes.ts";
import type { ForeignChange, KeyChange } from "../../shared/assess/verdict.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { Collision } from "../../shared/render/merge-data.ts";
import { mustBeRepeated, type SyncOutcome } from "../../shared/sync/outcome.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";

export type EventReport =
  | {
      readonly kind: "synced";
      readonly outcomes: readonly SyncOutcome[];
      /** Of ESO's objects, if a cluster has trigger mode. */
      readonly triggers?: readonly TriggerOutcome[];
    }
  | {
      /** What it concerns could not be found out. */
      readonly kind: "unknown";
      readonly error: RelayError;
      readonly triggers?: readonly TriggerOutcome[];
    }
  | { readonly kind: "noted" }
  | { readonly kind: "rejected"; readonly code: string; readonly advice: string; readonly mustFail: boolean };

/** The response of an invocation, which direct callers read. */
export type RotationReport = {
  readonly targets: readonly {
    target: string;
    outcome: string;
    versionId?: string;
    /** The keys that were added, changed or removed. */
    changes?: readonly KeyChange[];
    /** The relay's fields that other field managers had changed or taken over. */
    fields?: readonly ForeignChange[];
    /** Keys that several sources set; the last source won. */
    collisions?: readonly Collision[];
    code?: string;
    advice?: string;
    restarts?: readonly RestartOutcome[];
  }[];
  /** ESO's objects that were nudged; absent if there are none. */
  readonly externalSecrets?: readonly TriggerOutcome[];
  readonly rejected: readonly { code: string; advice: string }[];
};

/** Throws if any part is retryable; call it after all parts have run. */
export function settle(reports: readonly EventReport[]): RotationReport {
  const refused = reports.find((report) => report.kind === "rejected" && report.mustFail);
  if (refused?.kind === "rejected") throw new InputRefused(refused.code, refused.advice);
  const outcomes = reports.flatMap((report) => (report.kind === "synced" ? report.outcomes : []));
  const triggers = reports.flatMap(triggersOf);
  const unknown = reports.flatMap((report) => (report.kind === "unknown" ? [report.error] : []));
  const incomplete = outcomes.filter(mustBeRepeated);
  const unrefreshed = triggers.filter(isUnrefreshed);
  if (incomplete.length + unrefreshed.length > 0) {
    throw new SyncIncomplete(incomplete, outcomes.length, unrefreshed, unknown);
  }
  if (unknown[0] !== undefined) throw unknown[0];
  return {
    targets: outcomes.map(describeOutcome),
    ...(triggers.length > 0 && { externalSecrets: triggers }),
    rejected: reports.flatMap((report) =>
      report.kind === "rejected" ? [{ code: report.code, advice: report.advice }] : [],
    ),
  };
}

/** Lists the messages that SQS must deliver again. */
export function settleBatch(
  items: readonly { readonly messageId: string; readonly reports: readonly EventReport[] }[],
): SQSBatchResponse {
  const failed = items.filter(({ reports }) => reports.some(mustBeRetried));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

function mustBeRetried(report: EventReport): boolean {
  if (report.kind === "rejected") return report.mustFail;
  if (report.kind === "unknown") return true;
  return (
    report.kind === "synced" &&
    (report.outcomes.some(mustBeRepeated) || triggersOf(report).some(isUnrefreshed))
  );
}

const triggersOf = (report: EventReport): readonly TriggerOutcome[] =>
  report.kind === "synced" || report.kind === "unknown" ? (report.triggers ?? []) : [];

const isUnrefreshed = ({ kind }: TriggerOutcome): boolean => kind === "failed";

function describeOutcome(outcome: SyncOutcome): RotationReport["targets"][number] {
  const target = nameOfTarget(outcome.target);
  const restarts = outcome.restarts && { restarts: outcome.restarts };
  const { fields = [] } = outcome.verdict?.details ?? {};
  const edits = fields.length > 0 && { fields };
  if (outcome.kind === "refused" || outcome.kind === "failed") {
    return { target, outcome: outcome.kind, code: outcome.code, advice: outcome.advice, ...edits };
  }
  const { kind, versionId, collisions } = outcome;
  return {
    target,
    outcome: kind,
    versionId,
    ...(kind === "written" && { changes: keyChanges(outcome.changes) }),
    ...edits,
    ...(collisions && { collisions }),
    ...restarts,
  };
}

/** Some targets, restarts or refreshes failed for retryable reasons. Lambda retries; completed work stays. */
export class SyncIncomplete extends RelayError {
  override readonly name = "SyncIncomplete";
  readonly code = "SYNC_INCOMPLETE";
  readonly retryable = true;
  constructor(
    incomplete: readonly SyncOutcome[],
    targets: number,
    unrefreshed: readonly TriggerOutcome[] = [],
    unknown: readonly RelayError[] = [],
  ) {
    const codes = incomplete.flatMap(({ restarts = [], ...outcome }) => [
      ...(outcome.kind === "failed" ? [outcome.code] : []),
      ...restarts.flatMap(({ outcome, code = "" }) => (outcome === "failed" ? [code] : [])),
    ]);
    const verb = incomplete.some(({ kind }) => kind !== "failed") ? "finished" : "written";
    const ofEso = unrefreshed.flatMap((outcome) => ("code" in outcome ? [outcome.code] : []));
    const parts = [
      ...(incomplete.length > 0
        ? [`${incomplete.length} of ${targets} target(s) could not be ${verb} now`]
        : []),
      ...(unrefreshed.length > 0 ? [`${unrefreshed.length} object(s) of ESO are not refreshed yet`] : []),
      ...(unknown.length > 0 ? [`the bindings of ${unknown.length} event(s) are unknown`] : []),
    ];
    const ofEvents = unknown.map(({ code }) => code);
    super(`${parts.join(", and ")}: ${[...new Set([...codes, ...ofEso, ...ofEvents])].join(", ")}.`);
  }
}

/** The invocation must fail, because its caller would misunderstand success. */
export class InputRefused extends RelayError {
  override readonly name = "InputRefused";
  readonly code: string;
  readonly retryable = false;
  constructor(code: string, advice: string) {
    super(`${code}: ${advice}`);
    this.code = code;
  }
}
