import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentialIdentity } from "@smithy/types";
import { isRetryable, type RelayError } from "../../relay-error.ts";
import { boundedRequests } from "../../runtime/bounded-requests.ts";
import { type RetryPolicy, type Wait, withRetries } from "../../runtime/retry.ts";
import { Sha256 } from "../../runtime/sha256.ts";
import { shortenTimeBudget, type TimeBudget } from "../../runtime/time-budget.ts";
import { objectUrlsIn } from "./object-url.ts";
import {
  BindingsStoreCredentialsExpired,
  BindingsStoreDenied,
  BindingsStoreNotFound,
  BindingsStoreRedirected,
  BindingsStoreRejected,
  BindingsStoreThrottled,
  BindingsStoreUnreachable,
  type ObjectName,
} from "./store-errors.ts";

/** Reads an object, or learns that it still has the given ETag. Throws the errors of store-errors.ts. */
export type ReadObject = (object: ObjectRequest, budget: TimeBudget) => Promise<ObjectRead>;

export type ObjectRequest = ObjectName & {
  readonly etag?: string;
  /** An earlier version; `absent` if S3 no longer has it. */
  readonly versionId?: string;
};

export type ObjectRead =
  | {
      readonly kind: "object";
      readonly body: Uint8Array;
      /** As S3 sent it, with its quotes. */
      readonly etag: string;
      /** Absent in a bucket without versioning. */
      readonly versionId?: string;
    }
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "absent";
      /** A delete marker is in its place: it was there once. */
      readonly isDeleted?: true;
    };

export type ObjectReaderOptions = {
  readonly region: string;
  /** `forceRefresh` renews credentials that have not expired; later calls return the renewed ones. */
  readonly credentials: (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity>;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly wait?: Wait;
};

/** Signs its GET itself: @aws-sdk/client-s3 adds 578 kB to a bundle and 138 ms to a start, and this adds 5 kB. */
export function readObjectWith({
  region,
  credentials,
  env = process.env,
  now = Date.now,
  wait,
}: ObjectReaderOptions): ReadObject {
  const { requestHandler, streamCollector } = boundedRequests();
  const urlOf = objectUrlsIn(region, env);

  const send = async (
    { bucket, key, etag, versionId }: ObjectRequest,
    identity: AwsCredentialIdentity,
    abortSignal: AbortSignal,
  ): Promise<Response> => {
    const url = urlOf({ bucket, key });
    const host = url.port === undefined ? url.hostname : `${url.hostname}:${url.port}`;
    const headers = { host, ...(etag !== undefined && { "if-none-match": etag }) };
    const signer = new SignatureV4({
      service: "s3",
      region,
      credentials: identity,
      sha256: Sha256,
      uriEscapePath: false,
    });
    const request = await signer.sign(
      { ...url, method: "GET", query: { ...(versionId !== undefined && { versionId }) }, headers },
      { signingDate: new Date(now()) },
    );
    const { response } = await requestHandler.handle(request as HandledRequest, { abortSignal });
    const body = await streamCollector(response.body);
    return { status: response.statusCode, headers: response.headers, body };
  };

  const attempt = async (object: ObjectRequest, budget: TimeBudget): Promise<ObjectRead> => {
    // A connection may be dead without a sign of it. Half of the time is left for another one.
    const { signal } = shortenTimeBudget(budget, budget.remainingMs() / 2);
    const ask = async (forceRefresh: boolean): Promise<Response> => {
      const identity = await credentials({ forceRefresh }).catch(() => {
        throw new BindingsStoreCredentialsExpired(object);
      });
      return send(object, identity, signal).catch((error: unknown) => {
        throw new BindingsStoreUnreachable(object, nameOf(error));
      });
    };
    const first = await ask(false);
    return readResponse(object, isExpired(first) ? await ask(true) : first, region);
  };

  return (object, budget) => withRetries(() => attempt(object, budget), RETRIES, budget, wait);
}

const RETRIES: RetryPolicy = {
  attemptsMax: 4,
  pauseMs: 50,
  pauseMsMax: 1_000,
  // Renewed credentials were refused: that does not change within a second.
  isWorthRetrying: (error) => isRetryable(error) && !(error instanceof BindingsStoreCredentialsExpired),
};

type HandledRequest = Parameters<NodeHttpHandler["handle"]>[0];

type Response = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

function readResponse(object: Parameters<ReadObject>[0], response: Response, region: string): ObjectRead {
  const { status, headers, body } = response;
  const { etag, "x-amz-version-id": versionId = "", "content-type": type = "" } = headers;
  if (status === 200) {
    // S3 sends an ETag with every object. XML is an error: no published object has that type.
    if (etag === undefined || !ETAG.test(etag) || XML.test(type)) {
      throw new BindingsStoreUnreachable(object, "HTTP 200 without an object");
    }
    return { kind: "object", body, etag, ...(VERSION_ID.test(versionId) && { versionId }) };
  }
  if (status === 304 && object.etag !== undefined && (etag ?? object.etag) === object.etag) {
    return { kind: "unchanged" };
  }
  // A 404 of a proxy, or of an absent bucket, says nothing about the object.
  const absence = object.versionId === undefined ? "NoSuchKey" : "NoSuchVersion";
  if (status === 404 && codeOf(body) === absence) {
    return { kind: "absent", ...(headers["x-amz-delete-marker"] === "true" && { isDeleted: true }) };
  }
  throw classifyResponse(object, response, region);
}

const ETAG = /^"[\x21\x23-\x7e]{1,128}"$/;
const VERSION_ID = /^(?!null$)[\w.-]{1,1024}$/;
const XML = /[/+]xml\b/;

function classifyResponse(object: ObjectName, { status, body }: Response, region: string): RelayError {
  const code = codeOf(body);
  const at = `HTTP ${status}`;
  if (EXPIRED.has(code)) return new BindingsStoreCredentialsExpired(object);
  if (THROTTLE.test(code) || status === 429) return new BindingsStoreThrottled(object);
  if (PASSING.has(code)) return new BindingsStoreUnreachable(object, code);
  if (status === 404 && code === "NoSuchBucket") return new BindingsStoreNotFound(object);
  if (code === "PermanentRedirect" || code === "AuthorizationHeaderMalformed" || REDIRECTS.has(status)) {
    return new BindingsStoreRedirected(object, region);
  }
  if (status === 403 && code !== "") return new BindingsStoreDenied(object);
  const isClientFault = status >= 400 && status < 500 && code !== "";
  return isClientFault ? new BindingsStoreRejected(object, at) : new BindingsStoreUnreachable(object, at);
}

const isExpired = ({ status, body }: Response): boolean => status >= 400 && EXPIRED.has(codeOf(body));

// InvalidAccessKeyId and InvalidToken: credentials that AWS has forgotten, or does not know yet.
const EXPIRED: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
]);
// Also those of the bucket's key: KMS.ThrottlingException.
const THROTTLE = /^SlowDown$|Throttling|Throttled|^RequestLimitExceeded$/;
// A function that was frozen between signing and sending gets RequestTimeTooSkewed; each attempt is signed again.
const PASSING: ReadonlySet<string> = new Set(["OperationAborted", "RequestTimeTooSkewed", "RequestTimeout"]);
// 307 is not here: S3 sends it while the name of a new bucket spreads.
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 308]);

/** The code of S3's error, which is always its first element; empty for any other text. */
function codeOf(body: Uint8Array): string {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 500)).toString("latin1");
  return /^\s*(?:<\?xml[^<>]*>)?\s*<Error>\s*<Code>([A-Za-z.]{1,60})<\/Code>/.exec(start)?.[1] ?? "";
}

/** An error of Node or of the SDK's handler: only its name is used. */
function nameOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const known = [code, name].find((word) => typeof word === "string" && /^[A-Za-z_]{1,60}$/.test(word));
  return typeof known === "string" ? known : "unknown";
}
