import { Readable } from "node:stream";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { HttpHandlerOptions, HttpRequest, StreamCollector } from "@smithy/types";

/**
 * For the configuration of any AWS client: no request lasts for ever, and no answer is larger than one can be.
 *
 * By itself the SDK waits for a connection without an end, which is what a function in a VPC without a way to AWS gets;
 * it times a request until its head has come and not until its body has; and it keeps whatever comes. A healthy answer
 * takes some 10 ms.
 */
export function boundedRequests(limits: Partial<RequestLimits> = {}): {
  requestHandler: NodeHttpHandler;
  streamCollector: StreamCollector;
} {
  return { requestHandler: new BoundedHandler(limits), streamCollector: collectBounded };
}

export type RequestLimits = {
  readonly connectionMs: number;
  /** Until the head of the answer is there, and as long again until the last of its body is. */
  readonly requestMs: number;
};

const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** Twenty values of 64 KiB, in base64, are 1.8 MB; a page of a hundred secrets with all their tags and versions is 3 MB. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

class BoundedHandler extends NodeHttpHandler {
  readonly #requestMs: number;

  constructor({
    connectionMs = CONNECTION_TIMEOUT_MS,
    requestMs = REQUEST_TIMEOUT_MS,
  }: Partial<RequestLimits>) {
    super({
      connectionTimeout: connectionMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
      httpsAgent: { rejectUnauthorized: true }, // or NODE_TLS_REJECT_UNAUTHORIZED=0 would let anybody answer for AWS
    });
    this.#requestMs = requestMs;
  }

  override async handle(request: HttpRequest, options: HttpHandlerOptions = {}) {
    const signal = options.abortSignal as AbortSignal | undefined;
    const answering = super.handle(request as Parameters<NodeHttpHandler["handle"]>[0], options);
    const answered = await untilAborted(answering, signal);
    const { body } = answered.response;
    if (body instanceof Readable) endInTime(body, this.#requestMs, signal);
    return answered;
  }
}

/** The SDK's handler listens to its caller no more once a connection has closed, though no answer came: after HTTP 101. */
async function untilAborted<T>(answering: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answering;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(named("AbortError"));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([answering, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The body must come within a request's time again, and no later than its caller's. */
function endInTime(body: Readable, requestMs: number, signal: AbortSignal | undefined): void {
  const stop = () => body.destroy(named("TimeoutError")); // the SDK takes that name for one to try again
  const timer = setTimeout(stop, requestMs);
  signal?.addEventListener("abort", stop, { once: true });
  body.once("close", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  });
}

const collectBounded: StreamCollector = async (stream: AsyncIterable<Uint8Array> & { destroy?(): void }) => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw named("AnswerTooLarge"); // which ends the stream, too
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
