// A sandbox in its own process, with an empty bucket and as many clusters as the command line says. It sends its parent
// process what clients need to reach it, and ends with it.
import { type KubernetesSandbox, startKubernetesSandbox } from "../sandbox/kubernetes/server.ts";
import { startSandbox } from "../sandbox/start-sandbox.ts";
import type { AwsBackend, KubernetesBackend } from "../test/harness/backend.ts";

/** What the parent gets. */
export type ServedSandbox = {
  readonly aws: Omit<AwsBackend, "stop">;
  readonly clusters: readonly ServedCluster[];
};

type ServedCluster = Omit<KubernetesBackend, "kill" | "startAgain" | "stop">;

const [bucketName = "", clusterCount] = process.argv.slice(2);
const { aws, kubernetes } = await startSandbox();
aws.addBucket(bucketName);
const clusters = [kubernetes];
while (clusters.length < Number(clusterCount)) {
  const clusterName = `sandbox-${clusters.length}`;
  const credentialsOf = (accessKeyId: string) => aws.credentialsOf(accessKeyId);
  clusters.push(await startKubernetesSandbox({ clusterName, region: aws.region, credentialsOf }));
}
const { region, accountId, env } = aws;
process.send?.({
  aws: { region, accountId, env },
  clusters: clusters.map(reach),
} satisfies ServedSandbox);
process.once("disconnect", () => process.exit());

function reach(cluster: KubernetesSandbox): ServedCluster {
  const { endpoint, certificateAuthorityData, clusterName, region, adminToken, relayGroup } = cluster;
  return { endpoint, certificateAuthorityData, clusterName, region, adminToken, relayGroup };
}
