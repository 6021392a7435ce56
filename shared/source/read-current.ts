import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { SourceAt, VersionId } from "../secret-id/secret-id.ts";
import { SecretValue } from "../secret-value/secret-value.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { SourceNotFound } from "./errors.ts";
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
    const value = readValue(answer);
    if (value === undefined || !answer.VersionId || !answer.ARN) throw new SourceNotFound(id, source);
    const isDeprecated = versionId !== undefined && (answer.VersionStages ?? []).length === 0;
    return {
      arn: answer.ARN,
      versionId: answer.VersionId as VersionId,
      ...value,
      ...(isDeprecated && { isDeprecated }),
    };
  };
}

/** Of GetSecretValue and of an item of BatchGetSecretValue. */
export function readValue(answer: {
  SecretString?: string | undefined;
  SecretBinary?: Uint8Array | undefined;
}): Pick<CurrentSource, "value" | "isText"> | undefined {
  if (answer.SecretString !== undefined) {
    return { value: SecretValue.fromText(answer.SecretString), isText: true };
  }
  if (answer.SecretBinary !== undefined)
    return { value: new SecretValue(answer.SecretBinary), isText: false };
  return undefined;
}
