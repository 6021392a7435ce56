import type { Random } from "../random.ts";
import { currentEnvironment, type Environment } from "./environment.ts";
import type { WireAnswer, WireRequest } from "./message.ts";

/**
 * A replica of Secrets Manager that lags: for a moment after AWSCURRENT has moved it may still give the answer from
 * before. What makes the fence's confirming read worth anything is assumed here, and said in docs/fence-model.md: of
 * two reads that one environment makes one after the other, 50 ms apart or more, not both are stale.
 */
export class StaleReplica {
  readonly #random: Random;
  readonly #now: () => number;
  readonly #staleMs: number;
  readonly #latest = new Map<string, WireAnswer>();
  readonly #before = new Map<string, { readonly answer: WireAnswer; readonly untilAt: number }>();
  readonly #servedTo = new WeakMap<Environment, Map<string, number>>();
  #isOn = true;
  served = 0;

  constructor(random: Random, now: () => number, staleMs: number) {
    this.#random = random;
    this.#now = now;
    this.#staleMs = staleMs;
  }

  calm(): void {
    this.#isOn = false;
  }

  /** AWSCURRENT of the source is about to move: what was answered last is the answer from before. */
  moved(source: string): void {
    for (const operation of READS) {
      const key = `${operation} ${source}`;
      const answer = this.#latest.get(key);
      this.#latest.delete(key);
      if (answer === undefined) this.#before.delete(key);
      else this.#before.set(key, { answer, untilAt: this.#now() + this.#staleMs });
    }
  }

  /** Remembers what a read was answered. */
  answered(request: WireRequest, answer: WireAnswer): void {
    const key = keyOf(request);
    if (key !== undefined && answer.status === 200) this.#latest.set(key, answer);
  }

  /** The answer from before the last move, when it is drawn. */
  draw(request: WireRequest): WireAnswer | undefined {
    const key = keyOf(request);
    const environment = currentEnvironment();
    const before = key === undefined ? undefined : this.#before.get(key);
    if (!this.#isOn || key === undefined || environment === undefined || before === undefined)
      return undefined;
    const now = this.#now();
    if (now >= before.untilAt || !this.#mayServe(environment, key, now)) return undefined;
    if (!this.#random.chance(STALE_SHARE)) return undefined;
    this.#noteServed(environment, sourceOf(key), now);
    this.served += 1;
    return before.answer;
  }

  /** From the first of several side by side: one after the other must not become a chain that lasts. */
  #noteServed(environment: Environment, source: string, now: number): void {
    const times = this.#servedAt(environment);
    if (now - (times.get(source) ?? Number.NEGATIVE_INFINITY) >= SIDE_BY_SIDE_MS) times.set(source, now);
  }

  /** Reads that go out side by side may share a lagging replica; the next one goes elsewhere. */
  #mayServe(environment: Environment, key: string, now: number): boolean {
    const servedAt = this.#servedAt(environment).get(sourceOf(key)) ?? Number.NEGATIVE_INFINITY;
    return now - servedAt < SIDE_BY_SIDE_MS || now - servedAt > this.#staleMs;
  }

  #servedAt(environment: Environment): Map<string, number> {
    const known = this.#servedTo.get(environment) ?? new Map<string, number>();
    this.#servedTo.set(environment, known);
    return known;
  }
}

const READS = ["GetSecretValue", "DescribeSecret"];
const STALE_SHARE = 0.5;
const SIDE_BY_SIDE_MS = 40;

function keyOf({ headers, body }: WireRequest): string | undefined {
  const operation = (headers["x-amz-target"] ?? "").split(".")[1] ?? "";
  if (!READS.includes(operation)) return undefined;
  const { SecretId } = JSON.parse(body.toString()) as { SecretId: string };
  return `${operation} ${SecretId}`;
}

const sourceOf = (key: string): string => key.slice(key.indexOf(" ") + 1);
