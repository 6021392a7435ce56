import type { Environment } from "../transport/environment.ts";
import type { TransportRequest } from "../transport/message.ts";
import type { Listener } from "../transport/transport.ts";
import type { World } from "../world/world.ts";
import type { Violation } from "./violation.ts";

/** EKS accepts a token for 15 minutes from its own date. */
const TOKEN_MS_MAX = 15 * 60_000;

/**
 * Checks every token that is sent. By its sender's clock, neither the token nor the credentials that signed it may
 * have ended. A cluster may refuse a token only for a reason: its credentials have ended, possibly without notice to
 * the sender, or the server could not check it, for example under load. A token for another cluster has no such
 * reason.
 */
export function tokenJudge(
  { sessions, credentialsEndAt, isTokenFor }: Pick<World, "sessions" | "credentialsEndAt" | "isTokenFor">,
  report: (violation: Violation) => void,
): Listener {
  const known = new Map<string, Token>();
  const tokenIn = ({ headers: { authorization = "" } }: TransportRequest): Token | undefined => {
    const bearer = /^Bearer (k8s-aws-v1\..+)$/.exec(authorization)?.[1];
    if (bearer === undefined) return undefined;
    const token = known.get(bearer) ?? readToken(bearer);
    known.set(bearer, token);
    return token;
  };
  const endOf = ({ mintedAt, accessKeyId }: Token): number =>
    Math.min(mintedAt + TOKEN_MS_MAX, credentialsEndAt(accessKeyId) ?? Number.POSITIVE_INFINITY);

  return {
    sending: (host, request, environment: Environment) => {
      const token = host.kind === "cluster" ? tokenIn(request) : undefined;
      if (token === undefined) return;
      const lateMs = Date.now() - endOf(token);
      if (lateMs > 0)
        report({
          rule: "token",
          what: `${environment.name} sends ${host.name} a token that ended ${Math.round(lateMs / 1_000)} s ago by its own clock`,
        });
    },
    served: ({ host, request, answer, environment, servedAt }) => {
      const isRefused = host.kind === "cluster" && answer.status === 401 && environment !== undefined;
      const token = isRefused ? tokenIn(request) : undefined;
      if (token === undefined) return;
      if (sessions.hasEnded(token.accessKeyId) || servedAt >= endOf(token)) return;
      if (isTokenFor(host.name, token.bearer)) return;
      report({
        rule: "token",
        what: `${environment?.name} sends ${host.name} a token that is not valid there`,
      });
    },
  };
}

type Token = { readonly bearer: string; readonly mintedAt: number; readonly accessKeyId: string };

function readToken(bearer: string): Token {
  const url = Buffer.from(bearer.slice("k8s-aws-v1.".length), "base64url").toString();
  const { searchParams: query } = new URL(url);
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "") ?? [];
  return {
    bearer,
    mintedAt: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`),
    accessKeyId: query.get("X-Amz-Credential")?.split("/")[0] ?? "",
  };
}
