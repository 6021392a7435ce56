import { setTimeout as sleep } from "node:timers/promises";
import type { StatusCause } from "./status.ts";

/** A parsed request, before it is served. */
export type RequestSummary = {
  verb: string;
  group: string;
  resource: string;
  namespace?: string;
  name?: string;
  fieldManager?: string;
};

export type FaultKind =
  /** 429 with Retry-After, in plain text as a real server sends it. */
  | { kind: "throttle"; retryAfterSeconds?: number }
  | { kind: "server-error"; status?: 500 | 502 | 503 | 504 }
  /** The connection is closed before the request is served, or after: then a write was done without a response. */
  /** A refusal as admission, quota or storage of a real server words it. */
  | {
      kind: "refusal";
      status: number;
      reason?: string;
      message: string;
      causes?: readonly Partial<StatusCause>[];
    }
  | { kind: "reset"; when: "before" | "after" }
  | { kind: "latency"; ms: number }
  | { kind: "unauthorized" }
  /** The response comes in pieces, with a wait before each. */
  | { kind: "slow-body"; pieceMs: number; pieces?: number }
  /** 200, and a body that is not a Kubernetes object, as a proxy might answer. */
  | { kind: "wrong-content"; body?: string; contentType?: string };

export type FaultRule = FaultKind & {
  match?: (request: RequestSummary) => boolean;
  /** How many requests fail; every one when absent. */
  times?: number;
  /** The share of matching requests that fail, from 0 to 1, the same ones for the same seed. */
  probability?: number;
  seed?: number;
};

export type Hook = (request: RequestSummary) => void | Promise<void>;

/** Faults that a test can add and remove at any time. */
export class Faults {
  #rules: ActiveRule[] = [];
  #hooks = new Set<Hook>();

  /** Adds a fault; the returned function ends it. */
  add(rule: FaultRule): () => void {
    const active: ActiveRule = {
      rule,
      left: rule.times ?? Number.POSITIVE_INFINITY,
      random: randomFrom(rule.seed ?? 1),
    };
    this.#rules.push(active);
    return () => {
      this.#rules = this.#rules.filter((candidate) => candidate !== active);
    };
  }

  /** Runs code when a request has arrived and before anything is decided, to insert another request before it. */
  before(hook: Hook): () => void {
    this.#hooks.add(hook);
    return () => this.#hooks.delete(hook);
  }

  clear(): void {
    this.#rules = [];
    this.#hooks.clear();
  }

  /** Runs the hooks and waits out the latency; the server handles the other faults. */
  async strike(request: RequestSummary): Promise<FaultKind[]> {
    for (const hook of this.#hooks) await hook(request);
    const striking = this.#rules.filter((active) => strikes(active, request)).map(({ rule }) => rule);
    for (const fault of striking) if (fault.kind === "latency") await sleep(fault.ms);
    return striking;
  }
}

type ActiveRule = { rule: FaultRule; left: number; random: () => number };

function strikes(active: ActiveRule, request: RequestSummary): boolean {
  const { match, probability = 1 } = active.rule;
  if (active.left <= 0 || (match && !match(request))) return false;
  if (probability < 1 && active.random() >= probability) return false;
  active.left -= 1;
  return true;
}

/** mulberry32: small, and equal on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
