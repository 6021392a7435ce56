import type { TargetRef } from "../bindings/binding.ts";
import type { SyncOutcome } from "../sync/outcome.ts";
import type { Log, LogFields } from "./log.ts";
import type { Measure } from "./measure.ts";

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
      log("TARGET_REFUSED", { source, target, code, advice });
      measure("TargetsRefused", 1, code);
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

/** Of an outcome, a finding or a remark. */
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

export function nameOfTarget(target: TargetRef): string {
  return `${target.cluster}/${target.namespace}/${target.name}`;
}

function given(fields: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const present = Object.entries(fields).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(present);
}
