import type { Clock } from "./clock.ts";

/** A test's servers: the sandbox and the real servers implement it alike, so neither can be favoured. */
export type Backend = {
  readonly name: "sandbox" | "real";
  readonly aws: AwsBackend;
  readonly kubernetes: KubernetesBackend;
  readonly clock: Clock;
  stop(): Promise<void>;
};

export type AwsBackend = {
  readonly region: string;
  readonly accountId: string;
  /**
   * The SDK's endpoints and identity: AWS_ENDPOINT_URL_SECRETS_MANAGER, _STS, _EKS, _S3, AWS_REGION,
   * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
   */
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
  /** The group of the relay's EKS tokens; it has only the permissions that a test grants. */
  readonly relayGroup: string;
  /** The API server's process is killed: all connections and work in progress are lost. */
  kill(): Promise<void>;
  /** A new process with etcd's state and the same port and certificates; ready when this resolves. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
};
