import type { StsCredentials } from "../../sandbox/kubernetes/verify-eks-token.ts";

/** The caller whose EKS tokens a test backend takes when it is told of no other: AWS's own example key. */
export const testCredentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  arn: "arn:aws:sts::111122223333:assumed-role/secret-relay/rotation",
} as const;

export function testCredentialsOf(accessKeyId: string): StsCredentials | undefined {
  return accessKeyId === testCredentials.accessKeyId ? testCredentials : undefined;
}
