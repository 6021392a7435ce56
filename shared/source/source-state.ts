import type { VersionId } from "../secret-id/secret-id.ts";

/** What is known of a source without its value. */
export type SourceState =
  | {
      readonly kind: "current";
      /** The one under AWSCURRENT. */
      readonly versionId: VersionId;
      /** When anything about the secret last changed, ms since the epoch: AWSCURRENT did not move later than that. */
      readonly changedAt?: number;
    }
  /** No such secret, or no version under AWSCURRENT. */
  | { readonly kind: "missing" }
  | { readonly kind: "scheduled-for-deletion" }
  /** We could not look, which says nothing about the source. */
  | {
      readonly kind: "unreadable";
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

export function sourceStateOf(secret: SecretDescription): SourceState {
  if (secret.DeletedDate !== undefined) return { kind: "scheduled-for-deletion" };
  const stages = Object.entries(secret.SecretVersionsToStages ?? {});
  const versionId = stages.find(([, labels]) => labels.includes("AWSCURRENT"))?.[0];
  if (versionId === undefined) return { kind: "missing" };
  const changedAt = secret.LastChangedDate?.getTime();
  return {
    kind: "current",
    versionId: versionId as VersionId,
    ...(changedAt !== undefined && { changedAt }),
  };
}
