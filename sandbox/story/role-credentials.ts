import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AwsSandbox, IssuedCredentials } from "../aws/start-aws-sandbox.ts";

/** Temporary credentials of the functions' role, issued one after the other as AWS does, never stored. */
export type RoleCredentials = {
  /** The SDK fetches them here, and fetches the next ones when these have expired. */
  readonly env: Readonly<Record<string, string>>;
  /** Everything issued so far, oldest first. */
  readonly issued: readonly IssuedCredentials[];
  issue(): IssuedCredentials;
  /** The lifetime of the next credentials; later ones live an hour again. */
  shortenNext(lifeMs: number): void;
  stop(): Promise<void>;
};

export async function serveRoleCredentials(aws: AwsSandbox): Promise<RoleCredentials> {
  const issued: IssuedCredentials[] = [];
  let lifeMs = HOUR_MS;
  const issue = () => {
    const credentials = aws.issueCredentials({ roleName: "secret-relay", sessionName: "story", lifeMs });
    lifeMs = HOUR_MS;
    issued.push(credentials);
    return credentials;
  };
  const server = createServer((_request, response) => {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = issue();
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: new Date(expiresAt).toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    env: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    },
    issued,
    issue,
    shortenNext: (nextMs) => {
      lifeMs = nextMs;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const HOUR_MS = 3_600_000;
