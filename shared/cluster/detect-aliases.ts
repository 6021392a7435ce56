import type { ClusterConnection } from "./cluster-connection.ts";
import { ClusterListedTwice } from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import type { LiveMetadata } from "./live-secret.ts";

/**
 * Detects entries under `clusters` that lead to the same API server, whatever their endpoints look like: no two clusters
 * have an object with the same uid. From then on every call through either entry is refused.
 */
export function aliasDetector(): AliasDetector {
  const clusterOfUid = new Map<string, string>();
  const aliases = new Map<string, string>();

  const recordAlias = (one: string, other: string): void => {
    if (one === other) return;
    aliases.set(one, other);
    aliases.set(other, one);
  };
  const check = (clusterKey: string): void => {
    const other = aliases.get(clusterKey);
    if (other !== undefined) throw new ClusterListedTwice(clusterKey, other);
  };
  const remember = (clusterKey: string, secrets: Iterable<Pick<LiveMetadata, "uid">>): void => {
    for (const { uid } of secrets) {
      const known = clusterOfUid.get(uid);
      if (known !== undefined) recordAlias(clusterKey, known);
      else if (clusterOfUid.size < UIDS_MAX) clusterOfUid.set(uid, clusterKey);
    }
    check(clusterKey);
  };

  const clusterOfHost = new Map<string, string>();
  const checkEndpoint = (clusterKey: string, { url }: Pick<ClusterEndpoint, "url">): void => {
    const { host } = new URL(url); // without path, default port or trailing slash
    const known = clusterOfHost.get(host);
    if (known === undefined) clusterOfHost.set(host, clusterKey);
    else recordAlias(clusterKey, known);
    check(clusterKey);
  };

  const guard: AliasDetector["guard"] = (clusterKey, connection) => {
    const observed = <T extends Pick<LiveMetadata, "uid"> | undefined>(secret: T): T => {
      remember(clusterKey, secret === undefined ? [] : [secret]);
      return secret;
    };
    const guarded = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        check(clusterKey);
        return call(...args);
      };
    };
    return {
      readSecret: guarded(async (...args) => observed(await connection.readSecret(...args))),
      readMetadata: guarded(async (...args) => observed(await connection.readMetadata(...args))),
      listMetadata: guarded(async (...args) => {
        const secrets = await connection.listMetadata(...args);
        remember(clusterKey, secrets);
        return secrets;
      }),
      applySecret: guarded(connection.applySecret),
      patchMetadata: guarded(connection.patchMetadata),
      deleteSecret: guarded(connection.deleteSecret),
      callObject: guarded(connection.callObject),
    };
  };
  return { checkEndpoint, guard };
}

export type AliasDetector = {
  /** Throws ClusterListedTwice when another entry has the same endpoint. */
  readonly checkEndpoint: (clusterKey: string, endpoint: Pick<ClusterEndpoint, "url">) => void;
  /** A connection that records uids, and refuses every call once another entry has returned one of them. */
  readonly guard: (clusterKey: string, connection: ClusterConnection) => ClusterConnection;
};

/** About 30 MB with uids of 36 characters. With that many Secrets, two aliases have been detected long before. */
const UIDS_MAX = 200_000;
