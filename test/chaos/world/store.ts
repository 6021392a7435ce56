import type { AwsSandbox } from "../../../sandbox/aws/start-aws-sandbox.ts";
import type { Host } from "../transport/host.ts";
import type { TransportResponse } from "../transport/message.ts";
import type { Sessions } from "./sessions.ts";
import type { World } from "./world.ts";

/** S3, at an address of its own: it fails apart from the rest of AWS. */
export type Store = Pick<World, "addBucket" | "emptyBucket"> & {
  readonly host: Host;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/** S3 of the sandbox, called in this process. */
export function serveSandboxStore(aws: AwsSandbox, sessions: Sessions): Store {
  const host: Host = {
    kind: "s3",
    name: "s3",
    at: AT,
    downUntil: 0,
    serve: async (request) => {
      if (sessions.refusalOf(request) !== undefined) return EXPIRED;
      const { method, url, headers, body } = request;
      const answer = await aws.ask({ method, target: url.pathname + url.search, headers, body });
      if (answer === undefined) throw new Error("The sandbox cuts a connection only for a fault");
      return { ...answer, body: answer.body.toString() };
    },
  };
  const addBucket = async (name: string) => aws.addBucket(name, { versioned: true });
  return {
    host,
    env: { AWS_ENDPOINT_URL_S3: `http://${AT}` },
    addBucket,
    emptyBucket: addBucket, // replaces it
    stop: async () => {},
  };
}

/** No server listens there; the transport answers. */
const AT = "127.0.0.1:10";

export const EXPIRED: TransportResponse = {
  status: 400,
  headers: { "content-type": "application/xml" },
  body: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
};
