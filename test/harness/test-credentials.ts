import type { StsCredentials } from "../../sandbox/kubernetes/verify-eks-token.ts";

/** The default caller whose EKS tokens a test backend accepts: AWS's own example key. */
export const testCredentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  arn: "arn:aws:sts::111122223333:assumed-role/secret-relay/rotation",
} as const;

export function testCredentialsOf(accessKeyId: string): StsCredentials | undefined {
  return accessKeyId === testCredentials.accessKeyId ? testCredentials : undefined;
}
