import {
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";

/**
 * Puts a value under a new VersionId, and so moves AWSCURRENT to it. Only the command line does that, for its canary.
 * Throws the SDK's errors.
 */
export async function putSecretValue(
  config: SecretsManagerClientConfig,
  { id, versionId, text }: { readonly id: string; readonly versionId: string; readonly text: string },
): Promise<void> {
  const client = new SecretsManagerClient({ ...config, maxAttempts: 3 });
  try {
    await client.send(
      new PutSecretValueCommand({ SecretId: id, ClientRequestToken: versionId, SecretString: text }),
    );
  } finally {
    client.destroy();
  }
}
