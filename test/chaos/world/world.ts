import type { AwsBackend, KubernetesBackend } from "../../harness/backend.ts";
import type { Host } from "../transport/host.ts";
import type { Sessions } from "./sessions.ts";

/** An AWS account and some clusters, on the sandbox or on real servers. */
export type World = {
  readonly aws: AwsBackend;
  readonly clusters: readonly WorldCluster[];
  readonly hosts: readonly Host[];
  /** S3, also one of `hosts`. */
  readonly store: Host;
  /** A bucket for published bindings, with versioning. */
  addBucket(name: string): Promise<void>;
  /** Removes all versions of all objects, as a new bucket has none. */
  emptyBucket(name: string): Promise<void>;
  readonly sessions: Sessions;
  /** The announced expiry of an access key; undefined if it was never issued. */
  credentialsEndAt(accessKeyId: string): number | undefined;
  /** Whether that cluster must accept the token now, by the credentials as issued, ended or not. */
  isTokenFor(cluster: string, token: string): boolean;
  /** From now on ListSecrets may be this old, if the world supports it. */
  listsAreStaleFor(ms: number): void;
  stop(): Promise<void>;
};

export type WorldCluster = {
  /** The key in the bindings. */
  readonly key: string;
  readonly host: Host;
  readonly backend: KubernetesBackend;
  /** Whether Deployments, StatefulSets and DaemonSets are rolled out. */
  readonly hasControllers: boolean;
  /** The cluster's entry in the bindings. */
  readonly entry: object;
  /** The API server's process dies in the middle of its work. */
  kill(): Promise<void>;
  /** Another process on the same state; ready when this resolves. */
  startAgain(): Promise<void>;
  /** All states of these Secrets, oldest first, as the API server recorded them. */
  history(secrets: readonly SecretName[]): Promise<readonly SecretRecord[]>;
};

export type SecretName = { readonly namespace: string; readonly name: string };

export type SecretRecord = SecretName & {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly uid: string;
  readonly resourceVersion: string;
  /** As sent over HTTP: base64. */
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

export const NAMESPACES = ["ns-0", "ns-1", "ns-2", "ns-3"];
