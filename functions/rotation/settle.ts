import type { SQSBatchResponse } from "aws-lambda";
import { keyChanges } from "../../shared/assess/changes.ts";
import type { KeyChange } from "../../shared/assess/verdict.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { Collision } from "../../shared/render/merge-data.ts";
import { mustBeRepeated, type SyncOutcome } from "../../shared/sync/outcome.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";

/** What became of one event. */
export type EventReport =
  | {
      readonly kind: "synced";
      readonly outcomes: readonly SyncOutcome[];
      /** Of ESO's objects, where a cluster of the bindings has trigger mode. */
      readonly triggers?: readonly TriggerOutcome[];
    }
  | { readonly kind: "noted" }
  | { readonly kind: "rejected"; readonly code: string; readonly advice: string; readonly mustFail: boolean };

/** The answer of an invocation; a team's own code that calls the function directly reads it. */
export type RotationReport = {
  readonly targets: readonly {
    target: string;
    outcome: string;
    versionId?: string;
    /** Which keys are new, different or gone. */
    changes?: readonly KeyChange[];
    /** Keys that several sources make; the last one's was taken. */
    collisions?: readonly Collision[];
    code?: string;
    advice?: string;
    restarts?: readonly RestartOutcome[];
  }[];
  /** ESO's objects that were nudged, where there are any. */
  readonly externalSecrets?: readonly TriggerOutcome[];
  readonly rejected: readonly { code: string; advice: string }[];
};

/** Throws when any part may work if tried again, after all of it has run. */
export function settle(reports: readonly EventReport[]): RotationReport {
  const refused = reports.find((report) => report.kind === "rejected" && report.mustFail);
  if (refused?.kind === "rejected") throw new InputRefused(refused.code, refused.advice);
  const outcomes = reports.flatMap((report) => (report.kind === "synced" ? report.outcomes : []));
  const triggers = reports.flatMap((report) => (report.kind === "synced" ? (report.triggers ?? []) : []));
  const incomplete = outcomes.filter(mustBeRepeated);
  const unrefreshed = triggers.filter(isUnrefreshed);
  if (incomplete.length + unrefreshed.length > 0) {
    throw new SyncIncomplete(incomplete, outcomes.length, unrefreshed);
  }
  return {
    targets: outcomes.map(describeOutcome),
    ...(triggers.length > 0 && { externalSecrets: triggers }),
    rejected: reports.flatMap((report) =>
      report.kind === "rejected" ? [{ code: report.code, advice: report.advice }] : [],
    ),
  };
}

/** The messages that SQS must give again; the others are done. */
export function settleBatch(
  items: readonly { readonly messageId: string; readonly reports: readonly EventReport[] }[],
): SQSBatchResponse {
  const failed = items.filter(({ reports }) => reports.some(mustBeTriedAgain));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

function mustBeTriedAgain(report: EventReport): boolean {
  if (report.kind === "rejected") return report.mustFail;
  return (
    report.kind === "synced" &&
    (report.outcomes.some(mustBeRepeated) || (report.triggers ?? []).some(isUnrefreshed))
  );
}

const isUnrefreshed = ({ kind }: TriggerOutcome): boolean => kind === "failed";

function describeOutcome(outcome: SyncOutcome): RotationReport["targets"][number] {
  const target = nameOfTarget(outcome.target);
  const restarts = outcome.restarts && { restarts: outcome.restarts };
  if (outcome.kind === "refused" || outcome.kind === "failed") {
    return { target, outcome: outcome.kind, code: outcome.code, advice: outcome.advice };
  }
  const { kind, versionId, collisions } = outcome;
  return {
    target,
    outcome: kind,
    versionId,
    ...(kind === "written" && { changes: keyChanges(outcome.changes) }),
    ...(collisions && { collisions }),
    ...restarts,
  };
}

/** Some targets were not written, or workloads not restarted, for reasons that may pass. Lambda invokes again; what is done already stays done. */
export class SyncIncomplete extends RelayError {
  override readonly name = "SyncIncomplete";
  readonly code = "SYNC_INCOMPLETE";
  readonly retryable = true;
  constructor(
    incomplete: readonly SyncOutcome[],
    targets: number,
    unrefreshed: readonly TriggerOutcome[] = [],
  ) {
    const codes = incomplete.flatMap(({ restarts = [], ...outcome }) => [
      ...(outcome.kind === "failed" ? [outcome.code] : []),
      ...restarts.flatMap(({ outcome, code = "" }) => (outcome === "failed" ? [code] : [])),
    ]);
    const what = incomplete.some(({ kind }) => kind !== "failed") ? "finished" : "written";
    const ofEso = unrefreshed.flatMap((outcome) => ("code" in outcome ? [outcome.code] : []));
    const parts = [
      ...(incomplete.length > 0
        ? [`${incomplete.length} of ${targets} target(s) could not be ${what} now`]
        : []),
      ...(unrefreshed.length > 0 ? [`${unrefreshed.length} object(s) of ESO are not refreshed yet`] : []),
    ];
    super(`${parts.join(", and ")}: ${[...new Set([...codes, ...ofEso])].join(", ")}.`);
  }
}

/** An input whose sender would take success for something that did not happen. */
export class InputRefused extends RelayError {
  override readonly name = "InputRefused";
  readonly code: string;
  readonly retryable = false;
  constructor(code: string, advice: string) {
    super(`${code}: ${advice}`);
    this.code = code;
  }
}
