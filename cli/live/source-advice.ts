import type { FindingCode } from "../../shared/sweep/finding.ts";

/** What a person can do about a source of which a finding tells; undefined for findings about the target. */
export function sourceAdvice(code: FindingCode): string | undefined {
  switch (code) {
    case "SOURCE_MISSING":
      return "Secrets Manager has no such secret. Correct the binding, or create it.";
    case "SOURCE_SCHEDULED_FOR_DELETION":
      return "The secret is scheduled for deletion. Restore it (aws secretsmanager restore-secret), or remove its binding.";
    case "VERSION_MISSING":
      return "No version bears that staging label, or the pinned one is gone. Set the label, or correct stage or versionId.";
    case "VERSION_DEPRECATED":
      return "Give the pinned version a staging label, or pin another: Secrets Manager may delete it.";
    default:
      return undefined;
  }
}
