import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { MARK } from "../harness/canary.ts";

/** A signing key as in the secret; a canary, because it is as secret as a value. */
export function newKey(): string {
  return `whsec_${Buffer.concat([Buffer.from(MARK), randomBytes(16)]).toString("base64")}`;
}

export type CallOptions = {
  readonly id?: string;
  /** Milliseconds; the header has the seconds. */
  readonly at?: number;
  /** Signed with each of them. */
  readonly keys?: readonly string[];
  readonly signature?: string;
  /** Added to the headers, or replaces them; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly method?: string;
  readonly isBase64Encoded?: boolean;
  /** The body that Lambda passes on, if it is not the signed one. */
  readonly sentBody?: string;
};

/** A call as a Function URL passes it to its function, signed by the text of the specification and not by a library. */
export function webhookCall(body: unknown, options: CallOptions = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { id = `msg_${randomUUID()}`, at = Date.now(), keys = [], method = "POST" } = options;
  const timestamp = String(Math.floor(at / 1_000));
  const isBase64Encoded = options.isBase64Encoded ?? false;
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": options.signature ?? keys.map((key) => sign(key, id, timestamp, text)).join(" "),
    host: "example.lambda-url.eu-west-1.on.aws",
    "user-agent": "pipeline/1.0",
    ...options.headers,
  };
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: "/",
    rawQueryString: "",
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    requestContext: {
      accountId: "anonymous",
      apiId: "example",
      domainName: headers.host,
      domainPrefix: "example",
      http: {
        method,
        path: "/",
        protocol: "HTTP/1.1",
        sourceIp: "192.0.2.1",
        userAgent: "pipeline/1.0",
      },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: new Date(at).toISOString(),
      timeEpoch: at,
    },
    body: options.sentBody ?? (isBase64Encoded ? Buffer.from(text).toString("base64") : text),
    isBase64Encoded,
  };
}

/** `v1,` and the base64 of HMAC-SHA256 over id, timestamp and body with full stops between them. */
export function sign(key: string, id: string, timestamp: string, body: string): string {
  const bytes = Buffer.from(key.replace("whsec_", ""), "base64");
  return `v1,${createHmac("sha256", bytes).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
