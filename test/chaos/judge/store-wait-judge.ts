import type { InvocationListener } from "../lambda/lambda.ts";
import { currentEnvironment, type Environment } from "../transport/environment.ts";
import type { Host } from "../transport/host.ts";
import type { Listener } from "../transport/transport.ts";
import type { Violation } from "./violation.ts";

/** Of the invocation that an environment runs. */
type Wait = { running: number; since: number; waitedMs: number };

/** Judges how long each invocation of a rotation function waits for S3: in all, and however S3 fails. */
export class StoreWaitJudge implements Listener {
  readonly violations: Violation[] = [];
  readonly counts = { largestMs: 0 };
  readonly #waits = new WeakMap<Environment, Wait>();
  readonly #now: () => number;
  readonly #waitMsMax: number;

  constructor(now: () => number, lateMsMax: number) {
    this.#now = now;
    this.#waitMsMax = WAIT_MS_MAX + lateMsMax;
  }

  served = (): void => {};

  sending = ({ kind }: Host): void => {
    const environment = currentEnvironment();
    if (kind !== "s3" || environment === undefined) return;
    const wait = this.#waits.get(environment) ?? { running: 0, since: 0, waitedMs: 0 };
    if (wait.running === 0) wait.since = this.#now();
    wait.running += 1;
    this.#waits.set(environment, wait);
  };

  closed = ({ kind }: Host, environment: Environment): void => {
    const wait = this.#waits.get(environment);
    if (kind !== "s3" || wait === undefined) return;
    wait.running -= 1;
    if (wait.running === 0) wait.waitedMs += this.#now() - wait.since;
  };

  /** Called for a rotation function. */
  rotated: InvocationListener = ({ attempt, environment }) => {
    const waitedMs = this.#waits.get(environment)?.waitedMs ?? 0;
    this.#waits.delete(environment);
    if (attempt.kind === "killed") return;
    this.counts.largestMs = Math.max(this.counts.largestMs, Math.round(waitedMs));
    if (waitedMs <= this.#waitMsMax) return;
    this.violations.push({
      rule: "wait",
      what: `an invocation in ${environment.name} waited ${Math.round(waitedMs)} ms for S3`,
    });
  };
}

/** As docs/adr/0019 promises. */
const WAIT_MS_MAX = 2_000;
