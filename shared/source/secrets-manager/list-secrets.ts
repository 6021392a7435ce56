import {
  type Filter,
  paginateListSecrets,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";

/** The sorted names of all secrets of an account in a Region. Reads no value, and throws the SDK's errors. */
export async function listSecretNames(config: SecretsManagerClientConfig): Promise<string[]> {
  const listed = await listSecrets(config, []);
  return listed.map(({ name }) => name).sort();
}

/** The secrets that match all filters. Reads no value, and throws the SDK's errors. */
export async function listSecrets(
  config: SecretsManagerClientConfig,
  filters: readonly { readonly Key: Filter["Key"]; readonly Values: readonly string[] }[],
): Promise<{ name: string; arn: string; hasValue: boolean }[]> {
  const client = new SecretsManagerClient({ ...config, maxAttempts: 3 });
  const Filters = filters.map(({ Key, Values }) => ({ Key, Values: [...Values] }));
  const found: { name: string; arn: string; hasValue: boolean }[] = [];
  try {
    for await (const { SecretList = [] } of paginateListSecrets({ client }, { Filters })) {
      for (const { Name, ARN = "", SecretVersionsToStages = {} } of SecretList) {
        const hasValue = Object.values(SecretVersionsToStages).some((stages) =>
          stages.includes("AWSCURRENT"),
        );
        if (Name !== undefined) found.push({ name: Name, arn: ARN, hasValue });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}
