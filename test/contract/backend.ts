/** What a test needs of a place to run: the sandbox and the real servers both give it, so neither can be favoured. */
export type Backend = {
  readonly name: "sandbox" | "real";
  readonly aws: AwsBackend;
  readonly kubernetes: KubernetesBackend;
  stop(): Promise<void>;
};

export type AwsBackend = {
  readonly region: string;
  readonly accountId: string;
  /** Where the AWS SDK finds the servers and whom it is: AWS_ENDPOINT_URL_SECRETS_MANAGER, _STS, _EKS, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

export type KubernetesBackend = {
  /** https://127.0.0.1:port */
  readonly endpoint: string;
  /** PEM, base64: as EKS DescribeCluster gives it. */
  readonly certificateAuthorityData: string;
  /** The name that a token must be signed for. */
  readonly clusterName: string;
  readonly region: string;
  /** A bearer token of group system:masters. */
  readonly adminToken: string;
  /** The group that the relay's EKS tokens are mapped to; it has no rights but those that a test grants. */
  readonly relayGroup: string;
  /** The API server's process dies without a word: every connection is gone, and whatever it was working on. */
  kill(): Promise<void>;
  /** A new one, on what etcd has kept and on the same port and certificates; it is ready when this resolves. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
};
