import { randomUUID } from "node:crypto";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "../live/aws-session.ts";

/** A new value of the canary, which only this process knows. */
export type NewValue = { readonly versionId: string; readonly value: SecretValue };

/** Puts a new random value into the source. AWSCURRENT moves to it, as at the end of a rotation. */
export async function rotateCanary(aws: AwsSession, source: SecretReference): Promise<NewValue> {
  const { putSecretValue } = await import("../../shared/source/secrets-manager/put-value.ts");
  const region = source.location?.region ?? aws.region;
  const [versionId, value] = [randomUUID(), randomUUID()];
  const text = JSON.stringify({ [KEY]: value });
  try {
    await putSecretValue({ ...aws.client, region }, { id: source.id, versionId, text });
    return { versionId, value: SecretValue.fromText(value) };
  } catch (error) {
    const name = errorNameOf(error);
    if (name.startsWith("AccessDenied")) throw new CanaryWriteForbidden(source.id);
    if (name === "LimitExceededException") throw new CanaryFull(source.id);
    throw aws.classify(`Writing the canary ${source.id}`, error);
  }
}

/** Whether the Secret holds the value, and when the relay wrote it by its own clock. */
export type Sighting = { readonly holds: boolean; readonly writtenAt?: number };

export async function lookAtCanary(
  connection: ClusterConnection,
  target: TargetRef,
  { value, versionId }: NewValue,
  { annotations }: RelayMetadata,
): Promise<Sighting> {
  const secret = await connection.readSecret(target, startTimeBudget(CALL_MS_MAX));
  if (secret === undefined) return { holds: false };
  const holds = secret.data.get(KEY)?.equals(value) === true;
  const isOfVersion = secret.annotations[annotations.versionId] === versionId;
  const writtenAt = Date.parse(secret.annotations[annotations.writtenAt] ?? "");
  return { holds, ...(isOfVersion && !Number.isNaN(writtenAt) && { writtenAt }) };
}

/**
 * Changes the Secret as a person might. It also forgets when the relay took this Secret back before, so that a fourth
 * verification within an hour does not look like a fight of two writers.
 */
export async function editCanary(
  connection: ClusterConnection,
  { namespace, name }: TargetRef,
  { annotations }: RelayMetadata,
): Promise<void> {
  await connection.callObject(
    {
      method: "PATCH",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
      query: { fieldManager: FIELD_MANAGER },
      body: {
        metadata: { annotations: { [annotations.takeBacks]: null } },
        data: { [KEY]: Buffer.from("edited by secret-relay verify").toString("base64") },
      },
      metadataOnly: true,
    },
    startTimeBudget(CALL_MS_MAX),
  );
}

const KEY = "verify";
const FIELD_MANAGER = "secret-relay-verify";
const CALL_MS_MAX = 10_000;

/** The caller lacks secretsmanager:PutSecretValue. */
export class CanaryWriteForbidden extends CommandError {
  readonly code = "CANARY_WRITE_FORBIDDEN";
  constructor(id: string) {
    super(
      `You lack the permission secretsmanager:PutSecretValue on ${id}, or that for its key. Ask for it, or select another profile with --profile.`,
    );
  }
}

/** A secret has at most 100 versions, and Secrets Manager keeps those of the last 24 hours. */
export class CanaryFull extends CommandError {
  readonly code = "CANARY_FULL";
  override readonly retryable = true;
  constructor(id: string) {
    super(`${id} has 100 versions of the last 24 hours, which is the limit. Try again later.`);
  }
}
