/** A cluster's endpoint and certificate, as EKS describes it. */
export type KubeconfigCluster = {
  readonly clusterName: string;
  readonly region: string;
  readonly endpoint: string;
  /** PEM, base64. */
  readonly certificateAuthorityData: string;
};

/** With the names that `aws eks update-kubeconfig` gives; `user`, such as `{ token }`, replaces its plugin. */
export function kubeconfigFor(cluster: KubeconfigCluster, accountId: string, user: object): object {
  const arn = `arn:aws:eks:${cluster.region}:${accountId}:cluster/${cluster.clusterName}`;
  const { endpoint: server, certificateAuthorityData } = cluster;
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": arn,
    clusters: [{ name: arn, cluster: { server, "certificate-authority-data": certificateAuthorityData } }],
    contexts: [{ name: arn, context: { cluster: arn, user: arn } }],
    users: [{ name: arn, user }],
  };
}
