import type { Host } from "../wire/host.ts";
import type { TemporaryCredentials } from "./sessions.ts";

/** Where an environment fetches its credentials, again and again, as a container of AWS does. */
export function serveCredentials(issue: () => TemporaryCredentials): {
  readonly host: Host;
  readonly env: Readonly<Record<string, string>>;
} {
  const host: Host = {
    kind: "credentials",
    name: "credentials",
    at: AT,
    downUntil: 0,
    serve: async () => {
      const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = issue();
      const body = JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: new Date(expiresAt).toISOString(),
      });
      return { status: 200, headers: { "content-type": "application/json" }, body };
    },
  };
  return { host, env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${AT}/credentials` } };
}

/** Nobody listens there; the wire answers. */
const AT = "127.0.0.1:9";
