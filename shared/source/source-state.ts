import type { SourceAt, VersionId } from "../secret-id/secret-id.ts";

/** What is known of a source without its value. */
export type SourceState =
  | {
      readonly kind: "current";
      /** The one under the staging label, or the pinned one. */
      readonly versionId: VersionId;
      /** When anything about the secret last changed, ms since the epoch: AWSCURRENT did not move later than that. */
      readonly changedAt?: number;
      /** Pinned, and without any staging label: Secrets Manager may delete it at any time, or has deleted it. */
      readonly isDeprecated?: true;
    }
  /** No such secret. */
  | { readonly kind: "missing" }
  /** The secret exists, and no version has AWSCURRENT. */
  | { readonly kind: "without-value" }
  /** The secret is there; no version has the staging label that the binding states, or the pinned one is gone. */
  | { readonly kind: "version-missing" }
  | { readonly kind: "scheduled-for-deletion" }
  /** It could not be read, which says nothing about it. */
  | {
      readonly kind: "unknown";
      readonly code: string;
      readonly advice: string;
      readonly retryable: boolean;
    };

/** The fields that ListSecrets and DescribeSecret have in common, under the names of the first. */
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
    // Secrets Manager tells of labelled versions only; it keeps one without a label for a while, and still gives it.
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
