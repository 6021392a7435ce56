import { unauthorized } from "./status.ts";
import { type StsCredentials, verifyEksToken } from "./verify-eks-token.ts";

export type User = { username: string; groups: readonly string[] };

export const MASTERS = "system:masters";

export type AuthenticationOptions = {
  adminToken: string;
  relayGroup: string;
  clusterName: string;
  region: string;
  credentialsOf(accessKeyId: string): StsCredentials | undefined;
  now(): Date;
};

// kube-apiserver does not check a token again that it accepted within this time, expired or not.
const MEMORY_MS = 10_000;

/** Authenticates a request. Throws 401 for a refused token; a request without one is anonymous. */
export function authenticator(options: AuthenticationOptions): (authorization: string | undefined) => User {
  const remembered = new Map<string, { user: User; until: number }>();
  return (authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return { username: "system:anonymous", groups: ["system:unauthenticated"] };
    if (token === options.adminToken) return { username: "admin", groups: [MASTERS, "system:authenticated"] };
    const now = options.now();
    const known = remembered.get(token);
    if (known && now.getTime() < known.until) return known.user;
    remembered.delete(token);
    const verdict = verifyEksToken(token, { ...options, now });
    if (!verdict.ok) throw unauthorized();
    const user = { username: verdict.arn, groups: [options.relayGroup, "system:authenticated"] };
    remembered.set(token, { user, until: now.getTime() + MEMORY_MS });
    return user;
  };
}
