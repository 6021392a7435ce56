import type { ClusterConnection } from "./cluster-connection.ts";
import { ClusterListedTwice } from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import type { LiveMetadata } from "./live-secret.ts";

/**
 * Recognises entries of the bindings that lead to one API server, however they are spelled: no two clusters have an
 * object with the same uid. Once two entries are known to be one, every call of both is refused.
 */
export function aliasDetector(): AliasDetector {
  const clusterOfUid = new Map<string, string>();
  const aliases = new Map<string, string>();

  const check = (clusterKey: string): void => {
    const other = aliases.get(clusterKey);
    if (other !== undefined) throw new ClusterListedTwice(clusterKey, other);
  };
  const remember = (clusterKey: string, secrets: Iterable<Pick<LiveMetadata, "uid">>): void => {
    for (const { uid } of secrets) {
      const known = clusterOfUid.get(uid);
      if (known === undefined) {
        if (clusterOfUid.size < UIDS_MAX) clusterOfUid.set(uid, clusterKey);
      } else if (known !== clusterKey) {
        aliases.set(clusterKey, known);
        aliases.set(known, clusterKey);
      }
    }
    check(clusterKey);
  };

  const clusterOfHost = new Map<string, string>();
  const checkEndpoint = (clusterKey: string, { url }: Pick<ClusterEndpoint, "url">): void => {
    const { host } = new URL(url); // whatever path, port spelling or trailing slash it has
    const known = clusterOfHost.get(host);
    if (known === undefined) clusterOfHost.set(host, clusterKey);
    else if (known !== clusterKey) {
      aliases.set(clusterKey, known);
      aliases.set(known, clusterKey);
    }
    check(clusterKey);
  };

  const guard: AliasDetector["guard"] = (clusterKey, connection) => {
    const seen = <T extends Pick<LiveMetadata, "uid"> | undefined>(secret: T): T => {
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
      readSecret: guarded(async (...args) => seen(await connection.readSecret(...args))),
      readMetadata: guarded(async (...args) => seen(await connection.readMetadata(...args))),
      listMetadata: guarded(async (...args) => {
        const listed = await connection.listMetadata(...args);
        remember(clusterKey, listed);
        return listed;
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
  /** Throws a ClusterListedTwice when another entry has the same endpoint. */
  readonly checkEndpoint: (clusterKey: string, endpoint: Pick<ClusterEndpoint, "url">) => void;
  /** A connection that remembers the uids it sees, and refuses to go on once one was seen through another entry. */
  readonly guard: (clusterKey: string, connection: ClusterConnection) => ClusterConnection;
};

/** Of 36 characters each, with their entries some 30 MB; whoever has more Secrets has met two aliases by then. */
const UIDS_MAX = 200_000;
