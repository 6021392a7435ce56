import type { SourceAt, VersionId } from "./secret-id.ts";

/** The state of a source, without its value. */
export type SourceState =
  | {
      readonly kind: "current";
      /** The version of the staging label, or the pinned version. */
      readonly versionId: VersionId;
      /** The last change of the secret, ms since the epoch; AWSCURRENT moved at that time or earlier. */
      readonly changedAt?: number;
      /** Pinned, without any staging label: Secrets Manager may delete it at any time, or already has. */
      readonly isDeprecated?: true;
    }
  | { readonly kind: "missing" }
  /** The secret exists, but no version has AWSCURRENT. */
  | { readonly kind: "without-value" }
  /** The secret exists, but no version has the binding's staging label, or the pinned version is gone. */
  | { readonly kind: "version-missing" }
  | { readonly kind: "scheduled-for-deletion" }
  /** It could not be read, so nothing is known about it. */
  | {
      readonly kind: "unknown";
      readonly code: string;
      readonly advice: string;
      readonly retryable: boolean;
    };

/** The common fields of ListSecrets and DescribeSecret, under the names of ListSecrets. */
export type SecretDescription = {
  readonly ARN?: string | undefined;
  readonly Name?: string | undefined;
  readonly DeletedDate?: Date | undefined;
  readonly LastChangedDate?: Date | undefined;
  readonly SecretVersionsToStages?: Record<string, string[]> | undefined;
};

export function sourceStateOf(
  secret: SecretDescription,
  { stage = "AWSCURRENT", versionId: pinned }: Pick<SourceAt, "stage" | "versionId"> = {},
): SourceState {
  if (secret.DeletedDate !== undefined) return { kind: "scheduled-for-deletion" };
  const stages = secret.SecretVersionsToStages ?? {};
  if (pinned !== undefined) {
    // The list has only labelled versions; Secrets Manager still returns an unlabelled version for a while.
    const labels = Object.hasOwn(stages, pinned) ? stages[pinned] : undefined;
    const isDeprecated = labels === undefined || labels.length === 0;
    return { kind: "current", versionId: pinned, ...(isDeprecated && { isDeprecated }) };
  }
  const versionId = Object.entries(stages).find(([, labels]) => labels.includes(stage))?.[0];
  if (versionId === undefined) return { kind: stage === "AWSCURRENT" ? "without-value" : "version-missing" };
  const changedAt = secret.LastChangedDate?.getTime();
  return {
    kind: "current",
    versionId: versionId as VersionId,
    ...(changedAt !== undefined && { changedAt }),
  };
}
