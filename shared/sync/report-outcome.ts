import type { ForeignChange } from "../assess/verdict.ts";
import { nameOfTarget } from "../bindings/name-of-target.ts";
import type { Log, LogFields } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { SyncOutcome } from "./outcome.ts";

/** One log line and its metrics for what became of one target. */
export function reportOutcome(log: Log, measure: Measure, source: string, outcome: SyncOutcome): void {
  const target = nameOfTarget(outcome.target);
  switch (outcome.kind) {
    case "written": {
      const { versionId, propagationMs, fenceConflicts } = outcome;
      const changes = outcome.isNew
        ? ["created"]
        : [
            ...(outcome.isReplaced ? [{ what: "replaced", field: "the Secret" }] : []),
            ...outcome.changes,
          ].map(({ field, what }) => `${what} ${field}`);
      log("TARGET_WRITTEN", {
        source,
        target,
        versionId,
        changes,
        fenceConflicts,
        ...given({ propagationMs, certificateExpiresInDays: outcome.certificateExpiresInDays }),
        ...describeCollisions(outcome),
        ...describeEdits(outcome),
      });
      measure("TargetsWritten", 1);
      if (propagationMs !== undefined) measure("PropagationLatency", propagationMs);
      if (fenceConflicts > 0) measure("FenceConflicts", fenceConflicts);
      measureExpiry(measure, outcome);
      return;
    }
    case "unchanged": {
      const { versionId, fenceConflicts } = outcome;
      log("TARGET_UNCHANGED", {
        source,
        target,
        versionId,
        fenceConflicts,
        ...given({ certificateExpiresInDays: outcome.certificateExpiresInDays }),
        ...describeCollisions(outcome),
      });
      measure("TargetsUnchanged", 1);
      if (fenceConflicts > 0) measure("FenceConflicts", fenceConflicts);
      measureExpiry(measure, outcome);
      return;
    }
    case "refused": {
      const { code, advice } = outcome;
      log("TARGET_REFUSED", { source, target, code, advice, ...describeEdits(outcome) });
      // A hold that keeps back nothing needs no alarm; one that keeps back a new version does.
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

/** Who changed what the relay had applied, as far as managedFields shows it. */
function describeEdits({ verdict }: SyncOutcome): Pick<LogFields, "fields"> {
  const { fields = [] } = verdict?.details ?? {};
  return fields.length > 0 ? { fields: fields.map(describeForeignChange) } : {};
}

/** `data.password changed by kubectl-edit at 2026-11-28T10:00:00.000Z`. */
export function describeForeignChange({ field, what, manager, at }: ForeignChange): string {
  const by = manager === undefined ? "" : ` by ${manager}`;
  return `${field} ${what}${by}${at === undefined ? "" : ` at ${at}`}`;
}

/** Of an outcome or of a row. */
export function describeCollisions({
  collisions,
}: {
  readonly collisions?: Extract<SyncOutcome, { kind: "written" }>["collisions"];
}): Pick<LogFields, "collisions"> {
  if (collisions === undefined) return {};
  return { collisions: collisions.map(({ key, sources }) => `${key} (${sources.join(", ")})`) };
}

function measureExpiry(
  measure: Measure,
  { certificateExpiresInDays }: { readonly certificateExpiresInDays?: number },
): void {
  if (certificateExpiresInDays !== undefined) measure("CertificateExpiresInDays", certificateExpiresInDays);
}

function given(fields: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const present = Object.entries(fields).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(present);
}
