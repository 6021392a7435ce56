import type { Random } from "../random.ts";
import { Tally } from "../tally.ts";
import { currentEnvironment, type Environment } from "./environment.ts";
import type { TransportRequest, TransportResponse } from "./message.ts";

/**
 * A lagging replica of Secrets Manager: shortly after AWSCURRENT has moved it may still give the previous response.
 * The assumption behind the fence's confirming read is made here and documented in docs/internals/fence-model.md: of
 * two successive reads by one environment, 50 ms apart or more, at most one is stale.
 */
export class StaleReplica {
  readonly #random: Random;
  readonly #now: () => number;
  readonly #staleMs: number;
  readonly #latest = new Map<string, TransportResponse>();
  readonly #before = new Map<string, { readonly answer: TransportResponse; readonly untilAt: number }>();
  readonly #lastServed = new WeakMap<Environment, Map<string, number>>();
  readonly #servedTo = new WeakMap<Environment, Map<string, number>>();
  #isOn = true;
  /** By operation. */
  readonly served = new Tally();

  constructor(random: Random, now: () => number, staleMs: number) {
    this.#random = random;
    this.#now = now;
    this.#staleMs = staleMs;
  }

  calm(): void {
    this.#isOn = false;
  }

  /** AWSCURRENT of the source is about to move: the last response becomes the stale one. */
  moved(source: string): void {
    for (const key of READS.flatMap((operation) =>
      LABELS.map((label) => `${operation} ${source} ${label}`),
    )) {
      const answer = this.#latest.get(key);
      this.#latest.delete(key);
      if (answer === undefined) this.#before.delete(key);
      else this.#before.set(key, { answer, untilAt: this.#now() + this.#staleMs });
    }
  }

  /** Records the response to a read. */
  answered(request: TransportRequest, answer: TransportResponse): void {
    const key = keyOf(request);
    if (key !== undefined && answer.status === 200) this.#latest.set(key, answer);
  }

  /** The response from before the last move, if one is drawn. */
  draw(request: TransportRequest): TransportResponse | undefined {
    const key = keyOf(request);
    const environment = currentEnvironment();
    const before = key === undefined ? undefined : this.#before.get(key);
    if (!this.#isOn || key === undefined || environment === undefined || before === undefined)
      return undefined;
    const now = this.#now();
    if (now >= before.untilAt || !this.#mayServe(environment, key, now)) return undefined;
    if (!this.#random.chance(STALE_SHARE)) return undefined;
    this.#noteServed(environment, sourceOf(key), now);
    const last = this.#lastServed.get(environment) ?? new Map<string, number>();
    this.#lastServed.set(environment, last.set(sourceOf(key), now));
    this.served.add(key.slice(0, key.indexOf(" ")));
    // With today's date: the SDK sets its clock by the response.
    return { ...before.answer, headers: { ...before.answer.headers, date: new Date(now).toUTCString() } };
  }

  /** How stale a response about that source may have been, for an invocation that began then. */
  behindMs(environment: Environment, source: string, startedAt: number): number {
    const at = this.#lastServed.get(environment)?.get(source) ?? Number.NEGATIVE_INFINITY;
    return at >= startedAt ? this.#staleMs : 0;
  }

  /** Counted from the first of several parallel reads: successive reads must not become a chain that lasts. */
  #noteServed(environment: Environment, source: string, now: number): void {
    const times = this.#servedAt(environment);
    if (now - (times.get(source) ?? Number.NEGATIVE_INFINITY) >= SIDE_BY_SIDE_MS) times.set(source, now);
  }

  /** Parallel reads may share a lagging replica; the next one uses another. */
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
const LABELS = ["AWSCURRENT", "AWSPREVIOUS"]; // a move of the first moves the second
const STALE_SHARE = 0.5;
const SIDE_BY_SIDE_MS = 40;

function keyOf({ headers, body }: TransportRequest): string | undefined {
  const operation = (headers["x-amz-target"] ?? "").split(".")[1] ?? "";
  if (!READS.includes(operation)) return undefined;
  const asked = JSON.parse(body.toString()) as {
    SecretId: string;
    VersionStage?: string;
    VersionId?: string;
  };
  if (asked.VersionId !== undefined) return undefined; // a version never changes
  return `${operation} ${asked.SecretId} ${asked.VersionStage ?? "AWSCURRENT"}`;
}

const sourceOf = (key: string): string => key.split(" ")[1] ?? "";
