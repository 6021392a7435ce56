import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText } from "./call.ts";

export type SandboxCluster = {
  readonly name: string;
  readonly endpoint: string;
  /** PEM, base64. */
  readonly certificateAuthorityData: string;
  readonly status?: "CREATING" | "ACTIVE" | "DELETING" | "FAILED" | "UPDATING";
};

export type EksHome = { readonly partition: string; readonly region: string; readonly accountId: string };

export function eksOperations(
  clusters: ReadonlyMap<string, SandboxCluster>,
  { partition, region, accountId }: EksHome,
): ReadonlyMap<string, Operation> {
  return new Map<string, Operation>([
    ["ListClusters", () => ({ clusters: [...clusters.keys()], nextToken: null })],
    [
      "DescribeCluster",
      ({ input }) => {
        const name = requiredText(input, "name");
        const cluster = clusters.get(name);
        if (cluster === undefined) {
          throw new AwsError("ResourceNotFoundException", `No cluster found for name: ${name}.`, 404);
        }
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
  ]);
}
