import type { Environment } from "../wire/environment.ts";
import type { Listener } from "../wire/wire.ts";
import type { Violation } from "./violation.ts";

/** EKS takes a token for 15 minutes from its own date. */
const TOKEN_MS_MAX = 15 * 60_000;

/**
 * Watches every token that is sent: by the clock of its sender it must not have ended, and neither must the
 * credentials that it was signed with.
 */
export function tokenJudge(
  credentialsEndAt: (accessKeyId: string) => number | undefined,
  report: (violation: Violation) => void,
): Listener {
  const ends = new Map<string, number>();

  const endOf = (bearer: string): number => {
    const known = ends.get(bearer);
    if (known !== undefined) return known;
    const query = new URL(Buffer.from(bearer.slice("k8s-aws-v1.".length), "base64url").toString())
      .searchParams;
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "") ?? [];
    const mintedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    const accessKeyId = query.get("X-Amz-Credential")?.split("/")[0] ?? "";
    const end = Math.min(mintedAt + TOKEN_MS_MAX, credentialsEndAt(accessKeyId) ?? Number.POSITIVE_INFINITY);
    ends.set(bearer, end);
    return end;
  };

  return {
    sending: (host, request, environment: Environment) => {
      const bearer = /^Bearer (k8s-aws-v1\..+)$/.exec(request.headers.authorization ?? "")?.[1];
      if (host.kind !== "cluster" || bearer === undefined) return;
      const lateMs = Date.now() - endOf(bearer);
      if (lateMs > 0)
        report({
          rule: "token",
          what: `${environment.name} sends ${host.name} a token that ended ${Math.round(lateMs / 1_000)} s ago by its own clock`,
        });
    },
    served: () => {},
  };
}
