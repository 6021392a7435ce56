/** Where a cluster is, as EKS tells it. */
export type KubeconfigCluster = {
  readonly clusterName: string;
  readonly region: string;
  readonly endpoint: string;
  /** PEM, base64. */
  readonly certificateAuthorityData: string;
};

/** As `aws eks update-kubeconfig` names things; the user is whoever is given, such as `{ token }`, in place of its plugin. */
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
