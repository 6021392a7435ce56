import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { SecretReference, VersionId } from "../secret-id/secret-id.ts";
import { SecretValue } from "../secret-value/secret-value.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { SourceNotFound } from "./errors.ts";
import type { ClientFor } from "./secrets-manager-clients.ts";
import { sendFresh } from "./send-fresh.ts";

/** What AWSCURRENT names at this moment, as far as this reader can see: Secrets Manager is eventually consistent. */
export type CurrentSource = {
  /** The full ARN. */
  readonly arn: string;
  readonly versionId: VersionId;
  readonly value: SecretValue;
  /** True for SecretString, which is UTF-8; false for SecretBinary. */
  readonly isText: boolean;
};

export type ReadCurrent = (source: SecretReference, budget: TimeBudget) => Promise<CurrentSource>;

/** `clientFor` gives the client of a Region: a source may live in another one than the function. */
export function readCurrentWith(clientFor: ClientFor): ReadCurrent {
  return async (source, budget) => {
    const client = clientFor(source.home?.region);
    const command = new GetSecretValueCommand({ SecretId: source.id, VersionStage: "AWSCURRENT" });
    const answer = await sendFresh(client, source.id, () =>
      client.send(command, { abortSignal: budget.signal }),
    );
    const value = readValue(answer);
    if (value === undefined || !answer.VersionId || !answer.ARN) throw new SourceNotFound(source.id);
    return { arn: answer.ARN, versionId: answer.VersionId as VersionId, ...value };
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
