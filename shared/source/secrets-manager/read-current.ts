import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { SourceNotFound, SourceUnavailable } from "../errors.ts";
import { parseVersionId } from "../parse-version-id.ts";
import type { SecretReference } from "../secret-id.ts";
import { SecretValue } from "../secret-value.ts";
import type { CurrentSource, ReadCurrent } from "../source.ts";
import type { ClientFor } from "./clients.ts";
import { isAnswerAbout } from "./is-answer-about.ts";
import { sendWithCredentialRefresh } from "./send-with-credential-refresh.ts";

export function readCurrentWith(clientFor: ClientFor): ReadCurrent {
  return async (source, budget) => {
    const client = clientFor(source.location?.region);
    const { id, stage = "AWSCURRENT", versionId } = source;
    const command = new GetSecretValueCommand({
      SecretId: id,
      ...(versionId === undefined ? { VersionStage: stage } : { VersionId: versionId }),
    });
    const answer = await sendWithCredentialRefresh(client, id, () =>
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

/** Reads a GetSecretValue response or a BatchGetSecretValue item; undefined if incomplete or about another source. */
export function readAnswer(
  source: SecretReference,
  { ARN: arn = "", VersionId, SecretString: text, SecretBinary: bytes }: Answer,
): CurrentSource | undefined {
  const versionId = parseVersionId(VersionId);
  if (versionId === undefined || !isAnswerAbout(source, arn)) return undefined;
  if (text !== undefined) return { arn, versionId, value: SecretValue.fromText(text) };
  if (bytes !== undefined) return { arn, versionId, value: new SecretValue(bytes) };
  return undefined;
}

type Answer = {
  readonly ARN?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
};
