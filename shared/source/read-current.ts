import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { parseVersionId } from "../secret-id/parse-version-id.ts";
import type { SecretReference, SourceAt, VersionId } from "../secret-id/secret-id.ts";
import { SecretValue } from "../secret-value/secret-value.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { SourceNotFound, SourceUnavailable } from "./errors.ts";
import { isAnswerAbout } from "./is-answer-about.ts";
import type { ClientFor } from "./secrets-manager-clients.ts";
import { sendFresh } from "./send-fresh.ts";

/**
 * The version that is asked for, as far as this reader can see at this moment: Secrets Manager is eventually
 * consistent. Which one the staging label names may change; what a pinned version holds does not.
 */
export type CurrentSource = {
  /** The full ARN. */
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
  /** True for SecretString, which is UTF-8; false for SecretBinary. */
  readonly isText: boolean;
  /** A pinned version without any staging label: Secrets Manager may delete it at any time. */
  readonly isDeprecated?: true;
};

export type ReadCurrent = (source: SourceAt, budget: TimeBudget) => Promise<CurrentSource>;

/** `clientFor` gives the client of a Region: a source may live in another one than the function. */
export function readCurrentWith(clientFor: ClientFor): ReadCurrent {
  return async (source, budget) => {
    const client = clientFor(source.home?.region);
    const { id, stage = "AWSCURRENT", versionId } = source;
    const command = new GetSecretValueCommand({
      SecretId: id,
      ...(versionId === undefined ? { VersionStage: stage } : { VersionId: versionId }),
    });
    const answer = await sendFresh(client, id, () =>
      client.send(command, { abortSignal: budget.signal }),
    ).catch((error: unknown) => {
      throw error instanceof SourceNotFound ? new SourceNotFound(id, source) : error;
    });
    const current = readAnswer(source, answer);
    if (current === undefined || (versionId !== undefined && current.versionId !== versionId)) {
      throw new SourceUnavailable(id, "HTTP 200 without that secret");
    }
    const isDeprecated = versionId !== undefined && (answer.VersionStages ?? []).length === 0;
    return { ...current, ...(isDeprecated && { isDeprecated }) };
  };
}

/** Of GetSecretValue and of an item of BatchGetSecretValue; undefined unless it is whole, and about that source. */
export function readAnswer(
  source: SecretReference,
  { ARN: arn = "", VersionId, SecretString: text, SecretBinary: bytes }: Answer,
): CurrentSource | undefined {
  const versionId = parseVersionId(VersionId);
  if (versionId === undefined || !isAnswerAbout(source, arn)) return undefined;
  if (text !== undefined) return { arn, versionId, value: SecretValue.fromText(text), isText: true };
  if (bytes !== undefined) return { arn, versionId, value: new SecretValue(bytes), isText: false };
  return undefined;
}

type Answer = {
  readonly ARN?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
};
