import type { ForeignChange } from "../assess/verdict.ts";
import { nameOfTarget } from "../bindings/name-of-target.ts";
import type { Log, LogFields } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { SyncOutcome } from "./outcome.ts";

/** Logs and measures the outcome of one target. */
export function reportOutcome(log: Log, measure: Measure, source: string, outcome: SyncOutcome): void {
  const target = nameOfTarget(outcome.target);
  switch (outcome.kind) {
    case "written":
    case "unchanged": {
      const { versionId, fenceConflicts, certificateExpiresInDays } = outcome;
      const propagationMs = outcome.kind === "written" ? outcome.propagationMs : undefined;
      const fields = {
        ...{ source, target, versionId, fenceConflicts },
        ...(propagationMs !== undefined && { propagationMs }),
        ...(certificateExpiresInDays !== undefined && { certificateExpiresInDays }),
        ...describeCollisions(outcome),
      };
      if (outcome.kind === "unchanged") log("TARGET_UNCHANGED", fields);
      else log("TARGET_WRITTEN", { ...fields, changes: describeChanges(outcome), ...describeEdits(outcome) });
      measure(outcome.kind === "written" ? "TargetsWritten" : "TargetsUnchanged", 1);
      if (propagationMs !== undefined) measure("PropagationLatency", propagationMs);
      if (fenceConflicts > 0) measure("FenceConflicts", fenceConflicts);
      if (certificateExpiresInDays !== undefined)
        measure("CertificateExpiresInDays", certificateExpiresInDays);
      return;
    }
    case "refused": {
      const { code, advice } = outcome;
      log("TARGET_REFUSED", { source, target, code, advice, ...describeEdits(outcome) });
      // A hold raises an alarm only when it blocks a change.
      if (code !== "HELD" || outcome.verdict?.finding != null) measure("TargetsRefused", 1, code);
      return;
    }
    case "failed": {
      const { code, advice } = outcome;
      log("TARGET_FAILED", { source, target, code, advice });
      measure("TargetsFailed", 1, code);
      return;
    }
  }
}

function describeChanges({
  isNew,
  isReplaced,
  changes,
}: Extract<SyncOutcome, { kind: "written" }>): string[] {
  if (isNew) return ["created"];
  const replaced = isReplaced ? ["replaced the Secret"] : [];
  return [...replaced, ...changes.map(({ field, what }) => `${what} ${field}`)];
}

/** Changes by other managers to fields that the relay applied. */
function describeEdits({ verdict }: SyncOutcome): Pick<LogFields, "fields"> {
  const { fields = [] } = verdict?.details ?? {};
  return fields.length > 0 ? { fields: fields.map(describeForeignChange) } : {};
}

/** `data.password changed by kubectl-edit at 2026-11-28T10:00:00.000Z`. */
export function describeForeignChange({ field, what, manager, at }: ForeignChange): string {
  const by = manager === undefined ? "" : ` by ${manager}`;
  return `${field} ${what}${by}${at === undefined ? "" : ` at ${at}`}`;
}

export function describeCollisions({
  collisions,
}: {
  readonly collisions?: Extract<SyncOutcome, { kind: "written" }>["collisions"];
}): Pick<LogFields, "collisions"> {
  if (collisions === undefined) return {};
  return { collisions: collisions.map(({ key, sources }) => `${key} (${sources.join(", ")})`) };
}
