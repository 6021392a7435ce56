import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import type { Random } from "../random.ts";
import { SHARES, SKEW_MS_MAX } from "../settings.ts";
import { Tally } from "../tally.ts";
import type { WorldTime } from "../time/world-time.ts";
import { Environment } from "../transport/environment.ts";
import type { Handler, Invocation } from "./invocation.ts";

export type LambdaOptions = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly concurrencyMax: number;
  readonly retryDelaysMs: readonly number[];
  /** The function's code outside its handler, run once per environment. */
  readonly start: () => Promise<Handler>;
  readonly time: WorldTime;
  readonly random: Random;
  /** arn:…:function:name */
  readonly arn: string;
  /** Selects what a redrive really sends again. */
  readonly redriven?: (invocations: readonly Invocation[]) => readonly Invocation[];
};

/** The end of one attempt. A timeout is also `killed`: the code stops where it is. */
export type Attempt =
  | { readonly kind: "succeeded"; readonly result: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "killed" };

export type InvocationListener = (done: {
  readonly input: unknown;
  readonly attempt: Attempt;
  readonly environment: Environment;
  readonly startedAt: number;
  readonly endedAt: number;
}) => void;

type Warm = { readonly environment: Environment; readonly handler: Handler; invocations: number };

/**
 * Lambda as a function experiences it: environments are kept, frozen and sometimes killed in the middle, each with its
 * own clock. Asynchronous invocations are retried twice and then kept in a failure queue.
 */
export class Lambda {
  readonly invocations: Invocation[] = [];
  readonly failureQueue: Invocation[] = [];
  readonly listeners: InvocationListener[] = [];
  /** By the two steps around the kill. */
  readonly killedBetween = new Tally();
  outOfTime = 0;
  attempts = 0;
  environments = 0;
  readonly skews = { attempts: 0, largestMs: 0 };
  redriven = 0;
  /** Invocations that were waiting when their stack was deleted, or that came meanwhile. */
  gone = 0;
  /** Its stack is deleted. */
  isGone = false;
  #isDangerous = true;
  readonly #options: LambdaOptions;
  readonly #idle: Warm[] = [];
  /** Of its present stack. */
  readonly #environments = new Set<Environment>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: LambdaOptions) {
    this.#options = options;
  }

  /** Stops the random kills; a function that runs out of time is still killed. */
  calm(): void {
    this.#isDangerous = false;
  }

  /** Every accepted invocation has succeeded or is in the failure queue. */
  get isIdle(): boolean {
    return this.#running === 0 && this.invocations.every(({ state }) => state !== "waiting");
  }

  /** Its stack is deleted: all environments end, and what waits for a retry or a redrive is gone. */
  remove(): void {
    this.isGone = true;
    for (const environment of this.#environments) environment.kill();
    this.#environments.clear();
    this.#idle.splice(0);
    this.failureQueue.splice(0);
    for (const invocation of this.invocations) {
      if (invocation.state === "succeeded" || isGone(invocation)) continue;
      invocation.state = "gone with its stack";
      this.gone += 1;
    }
  }

  /** Its stack is made again, with no environment yet. */
  makeAgain(): void {
    this.isGone = false;
  }

  /** InvocationType Event: accepted, and retried when it fails. */
  invokeLater(input: unknown): Invocation {
    const state = this.isGone ? "gone with its stack" : "waiting";
    const invocation: Invocation = { input, attempts: 0, state };
    this.invocations.push(invocation);
    if (this.isGone) this.gone += 1;
    else void this.#follow(invocation);
    return invocation;
  }

  /** An operator redrives everything in the failure queue. */
  redrive(): number {
    const { redriven = (all) => all } = this.#options;
    const again = redriven(this.failureQueue.splice(0));
    this.redriven += again.length;
    for (const invocation of again) {
      invocation.attempts = 0;
      invocation.state = "waiting";
      void this.#follow(invocation);
    }
    return again.length;
  }

  /** One attempt, as an event source mapping makes it. */
  async invoke(input: unknown): Promise<Attempt> {
    await this.#takeTurn();
    const { time } = this.#options;
    const startedAt = time.now();
    try {
      if (this.isGone) return { kind: "killed" };
      const { attempt, environment } = await this.#attempt(input);
      const endedAt = time.now();
      for (const listener of this.listeners) listener({ input, attempt, environment, startedAt, endedAt });
      return attempt;
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.();
    }
  }

  async #follow(invocation: Invocation): Promise<void> {
    const { retryDelaysMs } = this.#options;
    for (const delayMs of [0, ...retryDelaysMs]) {
      if (delayMs > 0) await sleep(delayMs);
      if (isGone(invocation)) return;
      invocation.attempts += 1;
      const attempt = await this.invoke(invocation.input);
      if (isGone(invocation)) return;
      if (attempt.kind !== "succeeded") continue;
      invocation.state = "succeeded";
      return;
    }
    invocation.state = "in the failure queue";
    this.failureQueue.push(invocation);
  }

  async #takeTurn(): Promise<void> {
    if (this.#running >= this.#options.concurrencyMax) {
      await new Promise<void>((resolve) => void this.#queue.push(resolve));
    }
    this.#running += 1;
  }

  async #attempt(input: unknown): Promise<{ attempt: Attempt; environment: Environment }> {
    const { random, timeoutMs, time } = this.#options;
    this.attempts += 1;
    const warm = this.#idle.pop() ?? (await this.#startEnvironment());
    const { environment, handler } = warm;
    this.#noteSkew(environment);
    const isToDie = this.#isDangerous && random.chance(SHARES.invocationsKilled);
    environment.killAfter(isToDie ? random.below(STEPS_MAX) : Number.POSITIVE_INFINITY);
    const endsAt = time.now() + timeoutMs;
    const timeout = new AbortController();
    const timedOut = sleep(timeoutMs, undefined, { signal: timeout.signal }).then(
      () => environment.kill(),
      () => {},
    );
    void timedOut;
    const ran = environment.run(() => handler(input, this.#context(endsAt)));
    const attempt = await Promise.race([
      ran.then(
        (result): Attempt => ({ kind: "succeeded", result }),
        (error: unknown): Attempt => ({ kind: "failed", error }),
      ),
      environment.died.then((): Attempt => ({ kind: "killed" })),
    ]);
    timeout.abort();
    warm.invocations += 1;
    const isOfThisStack = this.#environments.has(environment);
    if (!isOfThisStack) return { attempt: { kind: "killed" }, environment };
    if (attempt.kind === "killed") this.#noteDeath(environment);
    else if (random.chance(RECYCLED_SHARE)) environment.kill();
    else this.#idle.push(warm);
    if (environment.isDead) this.#environments.delete(environment);
    return { attempt, environment };
  }

  #noteSkew({ skewMs }: Environment): void {
    if (skewMs !== 0) this.skews.attempts += 1;
    this.skews.largestMs = Math.max(this.skews.largestMs, Math.abs(skewMs));
  }

  #noteDeath({ killedBetween }: Environment): void {
    if (killedBetween === undefined) this.outOfTime += 1;
    else this.killedBetween.add(`after ${killedBetween.after}, before ${killedBetween.before}`);
  }

  async #startEnvironment(): Promise<Warm> {
    const { name, random, start, time } = this.#options;
    this.environments += 1;
    const environment = new Environment(
      `${name}#${this.environments}`,
      Math.round(random.between(-SKEW_MS_MAX, SKEW_MS_MAX)),
      random.below(2 ** 31),
    );
    this.#environments.add(environment);
    const handler = await environment.run(() => time.hold(start));
    return { environment, handler, invocations: 0 };
  }

  #context(endsAt: number): Context {
    const { arn, name, time } = this.#options;
    return {
      callbackWaitsForEmptyEventLoop: false,
      functionName: name,
      functionVersion: "$LATEST",
      invokedFunctionArn: arn,
      memoryLimitInMB: "256",
      awsRequestId: `${name}-${this.attempts}`,
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: "chaos",
      getRemainingTimeInMillis: () => endsAt - time.now(),
      done: () => {},
      fail: () => {},
      succeed: () => {},
    };
  }
}

/** It may have changed while an attempt ran. */
const isGone = ({ state }: Invocation): boolean => state === "gone with its stack";

/** A short sync takes some five steps to three clusters, one with retries some thirty. */
const STEPS_MAX = 30;

/** Lambda sometimes removes an environment; the next invocation starts cold. */
const RECYCLED_SHARE = 0.02;
