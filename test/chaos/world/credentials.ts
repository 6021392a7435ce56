import type { Host } from "../transport/host.ts";
import type { TemporaryCredentials } from "./sessions.ts";

/** Where an environment fetches its credentials, repeatedly, as an AWS container does. */
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

/** No server listens there; the transport answers. */
const AT = "127.0.0.1:9";
