import { AsyncLocalStorage } from "node:async_hooks";
import { Random } from "../random.ts";

/**
 * One execution environment of Lambda, as the transport and the clock need it: who sends a request, whose clock is
 * read, and whether it is alive.
 */
export class Environment {
  isDead = false;
  /** The two steps around the kill. */
  killedBetween: { readonly after: string; readonly before: string } | undefined;
  readonly died: Promise<void>;
  #tellDeath: () => void = () => {};
  #stepsLeft = Number.POSITIVE_INFINITY;
  #lastStep = START;
  readonly name: string;
  /** How far its clock is ahead, in ms. */
  readonly skewMs: number;

  /** The source of Math.random. */
  readonly jitter: Random;

  /** A function may lose S3, because the endpoint of its VPC is down, while people can reach it. */
  readonly network: "functions" | "people";

  constructor(name: string, skewMs: number, seed: number, network: Environment["network"] = "functions") {
    this.network = network;
    this.jitter = new Random(seed, name);
    this.name = name;
    this.skewMs = skewMs;
    this.died = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
  }

  /** Everything that `work` calls belongs to this environment. */
  run<T>(work: () => T): T {
    return current.run(this, work);
  }

  /** Kills it at that step from now; a step is before each request, and before each response. */
  killAfter(steps: number): void {
    this.#stepsLeft = steps;
    this.#lastStep = START;
  }

  /** Takes a step; false if the environment is dead by then. */
  step(name: string): boolean {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft < 0 && !this.isDead) {
      this.killedBetween = { after: this.#lastStep, before: name };
      this.kill();
    }
    this.#lastStep = name;
    return !this.isDead;
  }

  kill(): void {
    this.isDead = true;
    this.#tellDeath();
  }
}

const START = "it was invoked";

const current = new AsyncLocalStorage<Environment>();

/** Undefined for the harness itself and for the servers. */
export function currentEnvironment(): Environment | undefined {
  return current.getStore();
}

/** A server has its own clock, and is not killed with its caller. */
export function outsideEnvironments<T>(work: () => T): T {
  return current.exit(work);
}
