import type { AwsSession } from "../live/aws-session.ts";

/** Names of the account's EKS clusters in the session's Region. */
export async function findClusters(aws: AwsSession): Promise<string[]> {
  const { EKSClient, paginateListClusters } = await import("@aws-sdk/client-eks");
  const client = new EKSClient({ ...aws.client, maxAttempts: 3 });
  const found: string[] = [];
  try {
    for await (const { clusters = [] } of paginateListClusters({ client }, {})) found.push(...clusters);
    return found;
  } catch (error) {
    throw aws.classify("Listing clusters (eks:ListClusters; or name them with --cluster)", error);
  } finally {
    client.destroy();
  }
}

/** Names of its secrets; no value is read. */
export async function findSecrets(aws: AwsSession): Promise<string[]> {
  const { SecretsManagerClient, paginateListSecrets } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient({ ...aws.client, maxAttempts: 3 });
  const found: string[] = [];
  try {
    for await (const { SecretList = [] } of paginateListSecrets({ client }, {})) {
      found.push(...SecretList.flatMap(({ Name }) => Name ?? []));
    }
    return found.sort();
  } catch (error) {
    throw aws.classify("Listing secrets (secretsmanager:ListSecrets; or name them with --bind)", error);
  } finally {
    client.destroy();
  }
}
