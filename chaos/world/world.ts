import type { AwsBackend, KubernetesBackend } from "../../test/contract/backend.ts";
import type { Host } from "../wire/host.ts";
import type { Sessions } from "./sessions.ts";

/** What a run happens in: an AWS account and some clusters, on the sandbox or on real servers. */
export type World = {
  readonly aws: AwsBackend;
  readonly clusters: readonly WorldCluster[];
  readonly hosts: readonly Host[];
  readonly sessions: Sessions;
  /** When those of an access key end, by what was said of them; undefined for one that was never issued. */
  credentialsEndAt(accessKeyId: string): number | undefined;
  /** Whether that cluster has to take it, were it asked now; by the credentials as they were issued, ended or not. */
  isTokenFor(cluster: string, token: string): boolean;
  /** ListSecrets may be so old from now on, where the world can do that. */
  listsAreStaleFor(ms: number): void;
  stop(): Promise<void>;
};

export type WorldCluster = {
  /** The key in the bindings. */
  readonly key: string;
  readonly host: Host;
  readonly backend: KubernetesBackend;
  /** The cluster as the bindings have it. */
  readonly entry: object;
  /** The API server's process dies in the middle of what it does. */
  kill(): Promise<void>;
  /** Another one on the same state; it is ready when this resolves. */
  startAgain(): Promise<void>;
  /** Everything that ever happened to these Secrets, oldest first, as the API server recorded it. */
  history(secrets: readonly SecretName[]): Promise<readonly SecretRecord[]>;
};

export type SecretName = { readonly namespace: string; readonly name: string };

export type SecretRecord = SecretName & {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly uid: string;
  readonly resourceVersion: string;
  /** As on the wire: base64. */
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

export const NAMESPACES = ["ns-0", "ns-1", "ns-2", "ns-3"];
