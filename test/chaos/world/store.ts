import type { AwsSandbox } from "../../../sandbox/aws/start-aws-sandbox.ts";
import type { Host } from "../transport/host.ts";
import type { TransportResponse } from "../transport/message.ts";
import type { Sessions } from "./sessions.ts";

/** S3 of the sandbox, always called in this process, at an address of its own: it fails apart from the rest of AWS. */
export function serveStore(
  aws: AwsSandbox,
  sessions: Sessions,
): { readonly host: Host; readonly env: Readonly<Record<string, string>> } {
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
  return { host, env: { AWS_ENDPOINT_URL_S3: `http://${AT}` } };
}

/** No server listens there; the transport answers. */
const AT = "127.0.0.1:10";

const EXPIRED: TransportResponse = {
  status: 400,
  headers: { "content-type": "application/xml" },
  body: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
};
