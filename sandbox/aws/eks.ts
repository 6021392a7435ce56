import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText } from "./call.ts";

export type SandboxCluster = {
  readonly name: string;
  readonly endpoint: string;
  /** PEM, base64. */
  readonly certificateAuthorityData: string;
  /** By the ARN of the role or user: its mapped groups. */
  readonly accessEntries?: Readonly<Record<string, readonly string[]>>;
  readonly status?: "CREATING" | "ACTIVE" | "DELETING" | "FAILED" | "UPDATING";
};

export type EksHome = { readonly partition: string; readonly region: string; readonly accountId: string };

export function eksOperations(
  clusters: ReadonlyMap<string, SandboxCluster>,
  { partition, region, accountId }: EksHome,
): ReadonlyMap<string, Operation> {
  const get = (name: string): SandboxCluster => {
    const cluster = clusters.get(name);
    if (cluster !== undefined) return cluster;
    throw new AwsError("ResourceNotFoundException", `No cluster found for name: ${name}.`, 404);
  };
  return new Map<string, Operation>([
    ["ListClusters", () => ({ clusters: [...clusters.keys()], nextToken: null })],
    [
      "DescribeCluster",
      ({ input }) => {
        const name = requiredText(input, "name");
        const cluster = get(name);
        return {
          cluster: {
            name,
            arn: `arn:${partition}:eks:${region}:${accountId}:cluster/${name}`,
            endpoint: cluster.endpoint,
            certificateAuthority: { data: cluster.certificateAuthorityData },
            status: cluster.status ?? "ACTIVE",
            version: "1.36",
            platformVersion: "eks.1",
            accessConfig: { authenticationMode: "API" },
          },
        };
      },
    ],
    [
      "DescribeAccessEntry",
      ({ input }) => {
        const clusterName = requiredText(input, "clusterName");
        const principalArn = requiredText(input, "principalArn");
        const kubernetesGroups = get(clusterName).accessEntries?.[principalArn];
        if (kubernetesGroups === undefined) {
          const message = `The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.`;
          throw new AwsError("ResourceNotFoundException", message, 404);
        }
        return { accessEntry: { clusterName, principalArn, kubernetesGroups, type: "STANDARD" } };
      },
    ],
  ]);
}
