import type { Operation } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import { deleteSecret, restoreSecret } from "./delete-restore.ts";
import { describeSecret, listSecrets, listSecretVersionIds } from "./describe.ts";
import { batchGetSecretValue, getSecretValue } from "./read-values.ts";
import { tagResource, untagResource } from "./tags.ts";
import { createSecret, putSecretValue, updateSecret, updateSecretVersionStage } from "./write-values.ts";

export function secretsManagerOperations(context: SecretsManagerContext): ReadonlyMap<string, Operation> {
  return new Map([
    ["BatchGetSecretValue", batchGetSecretValue(context)],
    ["CreateSecret", createSecret(context)],
    ["DeleteSecret", deleteSecret(context)],
    ["DescribeSecret", describeSecret(context)],
    ["GetSecretValue", getSecretValue(context)],
    ["ListSecretVersionIds", listSecretVersionIds(context)],
    ["ListSecrets", listSecrets(context)],
    ["PutSecretValue", putSecretValue(context)],
    ["RestoreSecret", restoreSecret(context)],
    ["TagResource", tagResource(context)],
    ["UntagResource", untagResource(context)],
    ["UpdateSecret", updateSecret(context)],
    ["UpdateSecretVersionStage", updateSecretVersionStage(context)],
  ]);
}
