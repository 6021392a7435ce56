import type { Random } from "../random.ts";
import { failItems } from "./batch-faults.ts";
import type { Environment } from "./environment.ts";
import type { HostKind } from "./host.ts";
import type { TransportRequest, TransportResponse } from "./message.ts";

/** The fault of one exchange. */
export type Fault =
  | { readonly kind: "none" }
  /** The connection breaks: before the request is served, or after that and before the response arrives. */
  | { readonly kind: "reset"; readonly when: "before" | "after" }
  /** This response is sent instead, and nothing is served. */
  | { readonly kind: "answer"; readonly name: string; readonly answer: TransportResponse };

export type Disturbance = { readonly fault: Fault; readonly sendMs: number; readonly answerMs: number };

/** Draws the fault of each exchange. Rates are shares of all exchanges, from 0 to 1. */
export class Faults {
  readonly #random: Random;
  #share: number;
  #isSlow = true;
  readonly #degraded = new Map<HostKind, number>();

  constructor(random: Random, share: number) {
    this.#random = random;
    this.#share = share;
  }

  /** Ends all faults. */
  calm(): void {
    this.#share = 0;
    this.#degraded.clear();
    this.#isSlow = false;
  }

  /** A host is degraded until its share is 0 again: its calls fail far more often than retries can hide. */
  brownOut(host: HostKind, share: number): void {
    this.#degraded.set(host, share);
  }

  draw(host: HostKind, network: Environment["network"]): Disturbance {
    const random = this.#random;
    const degraded = network === "functions" ? (this.#degraded.get(host) ?? 0) : 0;
    const share = Math.max(this.#share, degraded);
    const fault: Fault = random.chance(share) ? random.pick(FAULTS[host]) : { kind: "none" };
    // The SDK waits one second for a credentials endpoint, and writes to the console on timeout.
    const sendMs = Math.min(this.#drawMs(), host === "credentials" ? SLOW_MS_MAX : STUCK_MS_MAX);
    return { fault, sendMs, answerMs: random.between(0.5, 12) };
  }

  /** Faults within a response that arrived; `onItem` is called for each. */
  spoil(request: TransportRequest, answer: TransportResponse, onItem: () => void): TransportResponse {
    return failItems(request, answer, { random: this.#random, share: this.#share, onItem });
  }

  /** Mostly short, sometimes long enough for another invocation's whole sync, and rarely stuck. */
  #drawMs(): number {
    const random = this.#random;
    const drawn = this.#isSlow ? random.next() : 1;
    if (drawn < STUCK_SHARE) return random.between(1_000, STUCK_MS_MAX);
    if (drawn < STUCK_SHARE + SLOW_SHARE) return random.between(20, SLOW_MS_MAX);
    return random.between(0.5, 12);
  }
}

/** Longer than every client timeout: 5 s to AWS, 10 s to a cluster. The request may still arrive then. */
const STUCK_MS_MAX = 15_000;
const STUCK_SHARE = 0.02;
const SLOW_MS_MAX = 600;
const SLOW_SHARE = 0.15;

const before: Fault = { kind: "reset", when: "before" };
const after: Fault = { kind: "reset", when: "after" };

function awsError(status: number, code: string): Fault {
  const body = JSON.stringify({ __type: code, Message: "drawn by the chaos run" });
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code };
  return { kind: "answer", name: code, answer: { status, headers, body } };
}

function s3Error(status: number, code: string): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>drawn by the chaos run</Message></Error>`;
  const headers = { "content-type": "application/xml" };
  return { kind: "answer", name: code, answer: { status, headers, body } };
}

function clusterError(status: number, reason: string, headers: Record<string, string> = {}): Fault {
  const body = JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason,
    code: status,
  });
  const sent = { "content-type": "application/json", ...headers };
  return { kind: "answer", name: String(status), answer: { status, headers: sent, body } };
}

const html: Fault = {
  kind: "answer",
  name: "wrong content",
  answer: {
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<html><body>Welcome</body></html>",
  },
};

/** One of these is drawn when an exchange fails. */
const FAULTS: Readonly<Record<HostKind, readonly Fault[]>> = {
  aws: [
    before,
    before,
    after,
    after,
    awsError(400, "ThrottlingException"),
    awsError(400, "ThrottlingException"),
    awsError(500, "InternalServiceError"),
    awsError(500, "InternalServiceError"),
    awsError(400, "ExpiredTokenException"),
  ],
  s3: [
    before,
    before,
    after,
    after,
    s3Error(503, "SlowDown"),
    s3Error(503, "SlowDown"),
    s3Error(500, "InternalError"),
    s3Error(400, "RequestTimeout"),
    s3Error(400, "ExpiredToken"),
    html,
  ],
  cluster: [
    before,
    before,
    after,
    after,
    clusterError(429, "TooManyRequests", { "retry-after": "1" }),
    clusterError(500, "InternalError"),
    clusterError(503, "ServiceUnavailable", { "retry-after": "1" }),
    clusterError(504, "Timeout"),
    clusterError(401, "Unauthorized"),
    html,
  ],
  credentials: [before, { kind: "answer", name: "500", answer: { status: 500, headers: {}, body: "" } }],
};
