import {
  paginateListSecrets,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";

/** The sorted names of all secrets of an account in a Region. Reads no value, and throws the SDK's errors. */
export async function listSecretNames(config: SecretsManagerClientConfig): Promise<string[]> {
  const client = new SecretsManagerClient({ ...config, maxAttempts: 3 });
  const names: string[] = [];
  try {
    for await (const { SecretList = [] } of paginateListSecrets({ client }, {})) {
      names.push(...SecretList.flatMap(({ Name }) => Name ?? []));
    }
    return names.sort();
  } finally {
    client.destroy();
  }
}
