import type { AwsSession } from "../live/aws-session.ts";

/** The names of the EKS clusters in the Region of the session. */
export async function findClusters(aws: AwsSession): Promise<string[]> {
  const { EKSClient, paginateListClusters } = await import("@aws-sdk/client-eks");
  const client = new EKSClient({ ...aws.client, maxAttempts: 3 });
  const found: string[] = [];
  try {
    for await (const { clusters = [] } of paginateListClusters({ client }, {})) found.push(...clusters);
    return found;
  } catch (error) {
    throw aws.classify("Listing clusters with eks:ListClusters (or name them with --cluster)", error);
  } finally {
    client.destroy();
  }
}

/** The names of the secrets. It reads no value. */
export async function findSecrets(aws: AwsSession): Promise<string[]> {
  const { listSecretNames } = await import("../../shared/source/secrets-manager/list-secrets.ts");
  return listSecretNames(aws.client).catch((error: unknown) => {
    throw aws.classify("Listing secrets with secretsmanager:ListSecrets (or name them with --bind)", error);
  });
}
