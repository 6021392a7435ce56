import { AwsError } from "./aws-error.ts";
import type { Call, Service } from "./call.ts";
import type { S3Input } from "./s3/parse-s3.ts";

export type FaultMatch = {
  readonly service?: Service;
  readonly operation?: string | readonly string[];
  /** A secret's name, or a pattern for names. In a batch it affects only that item. */
  readonly secret?: string | RegExp;
  /** The key of an object of S3, or a pattern for keys. */
  readonly objectKey?: string | RegExp;
  readonly accessKeyId?: string;
};

export type Fault = {
  readonly match?: FaultMatch;
  /** How many matching requests fail; all of them when absent. */
  readonly times?: number;
  /** The probability for a matching request, from a separate generator that starts with `seed`. */
  readonly probability?: number;
  readonly seed?: number;
  /** The fault ends at this time of the sandbox's clock. */
  readonly untilAt?: number;
} & FaultKind;

export type FaultKind =
  /** ThrottlingException, 400; of Lambda TooManyRequestsException, 429; of S3 SlowDown, 503. */
  | { readonly kind: "throttle" }
  /** InternalServiceError, 500; of S3 InternalError. */
  | { readonly kind: "serverError" }
  /** The connection is cut: before the request is served, or after that and before the response. */
  | { readonly kind: "reset"; readonly when?: "before" | "after" }
  | { readonly kind: "latency"; readonly ms: number }
  /**
   * GetSecretValue, BatchGetSecretValue and DescribeSecret return the state before the last change of a label or
   * value.
   */
  | { readonly kind: "staleRead" }
  /** ExpiredTokenException, regardless of the credentials' expiry. */
  | { readonly kind: "expiredCredentials" }
  | { readonly kind: "accessDenied" }
  | { readonly kind: "decryptionFailure" }
  /**
   * A conditional PutObject is answered as if another one to the same key were in progress: ConditionalRequestConflict,
   * 409. Here no two puts ever overlap.
   */
  | { readonly kind: "conflictingPut" };

export type ActiveFault = {
  readonly hits: number;
  remove(): void;
};

export type Faults = {
  add(fault: Fault): ActiveFault;
  clear(): void;
};

/** The effects of the faults on one request. */
export type Disturbance = { latencyMs: number; reset?: "before" | "after"; error?: AwsError };

export type FaultBoard = Faults & {
  disturb(call: Call): Disturbance;
  /** The effect on one item of a batch. */
  refuseItem(call: Call, secretName: string): AwsError | undefined;
  /** Whether this read of this secret returns the previous state. */
  isStale(call: Call, secretName: string): boolean;
};

type Entry = { fault: Fault; hits: number; random: () => number };

const READS_A_SECRET = new Set(["GetSecretValue", "BatchGetSecretValue", "DescribeSecret"]);

export function createFaults(now: () => number): FaultBoard {
  const entries = new Set<Entry>();

  const isHit = (
    entry: Entry,
    call: Call,
    secretName: string | undefined,
    operations: readonly string[] = [call.operation],
  ): boolean => {
    const { match = {}, times, probability, untilAt } = entry.fault;
    if (times !== undefined && entry.hits >= times) return false;
    if (untilAt !== undefined && now() >= untilAt) return false;
    if (match.service !== undefined && match.service !== call.service) return false;
    if (match.operation !== undefined && !asList(match.operation).some((one) => operations.includes(one)))
      return false;
    if (match.accessKeyId !== undefined && match.accessKeyId !== call.accessKeyId) return false;
    if (match.objectKey !== undefined && !isNamed(match.objectKey, call.objectKey)) return false;
    if (match.secret !== undefined && !isNamed(match.secret, secretName)) return false;
    if (probability !== undefined && entry.random() >= probability) return false;
    entry.hits += 1;
    return true;
  };

  return {
    add(fault) {
      const entry: Entry = { fault, hits: 0, random: seededRandom(fault.seed ?? 1) };
      entries.add(entry);
      return {
        get hits() {
          return entry.hits;
        },
        remove: () => void entries.delete(entry),
      };
    },
    clear: () => entries.clear(),
    disturb(call) {
      const disturbance: Disturbance = { latencyMs: 0 };
      for (const entry of entries) {
        const { fault } = entry;
        if (fault.kind === "staleRead") continue;
        if (fault.kind === "decryptionFailure" && call.operation !== "GetSecretValue") continue;
        if (fault.kind === "conflictingPut" && !isConditionalPut(call)) continue;
        if (!isHit(entry, call, call.secretName)) continue;
        if (fault.kind === "latency") disturbance.latencyMs += fault.ms;
        else if (fault.kind === "reset") disturbance.reset = fault.when ?? "before";
        else disturbance.error ??= errorOf(fault.kind, call);
      }
      return disturbance;
    },
    refuseItem(call, secretName) {
      for (const entry of entries) {
        const { kind, match } = entry.fault;
        if (kind !== "accessDenied" && kind !== "decryptionFailure") continue;
        if (kind === "accessDenied" && match?.secret === undefined) continue; // already refused for the whole call
        // A rule about GetSecretValue also affects the items of a batch: AWS requires that permission for each.
        if (isHit(entry, call, secretName, ["GetSecretValue", "BatchGetSecretValue"])) {
          return errorOf(kind, { ...call, operation: "GetSecretValue", secretName });
        }
      }
      return undefined;
    },
    isStale(call, secretName) {
      if (!READS_A_SECRET.has(call.operation)) return false;
      let stale = false;
      for (const entry of entries) {
        if (entry.fault.kind === "staleRead" && isHit(entry, call, secretName)) stale = true;
      }
      return stale;
    },
  };
}

type ErrorKind = Exclude<FaultKind["kind"], "latency" | "reset" | "staleRead">;

function errorOf(kind: ErrorKind, call: Call): AwsError {
  const resource = call.secretName ?? call.objectKey;
  switch (kind) {
    case "throttle":
      if (call.service === "lambda") return new AwsError("TooManyRequestsException", "Rate Exceeded.", 429);
      return new AwsError("ThrottlingException", "Rate exceeded");
    case "serverError":
      return new AwsError("InternalServiceError", "An error occurred on the server side.", 500);
    case "expiredCredentials":
      return new AwsError("ExpiredTokenException", "The security token included in the request is expired");
    case "accessDenied":
      return new AwsError(
        "AccessDeniedException",
        `User: ${call.callerArn} is not authorized to perform: ${call.service}:${call.operation}${resource === undefined ? "" : ` on resource: ${resource}`} because no identity-based policy allows the ${call.service}:${call.operation} action`,
      );
    case "decryptionFailure":
      return new AwsError(
        "DecryptionFailure",
        "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
      );
    case "conflictingPut":
      return new AwsError(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
        409,
      );
  }
}

function isConditionalPut({ operation, input }: Call): boolean {
  if (operation !== "PutObject") return false;
  const { headers } = input as S3Input;
  return headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
}

function asList(operation: string | readonly string[]): readonly string[] {
  return typeof operation === "string" ? [operation] : operation;
}

function isNamed(wanted: string | RegExp, name: string | undefined): boolean {
  if (name === undefined) return false;
  return typeof wanted === "string" ? wanted === name : wanted.test(name);
}

/** Mulberry32: 32 bits of state are enough to decide which request fails. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
