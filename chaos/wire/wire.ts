import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { currentEnvironment, type Environment, outsideEnvironments } from "./environment.ts";
import type { Disturbance, Faults, HostKind } from "./faults.ts";
import { interceptRequests } from "./intercept-requests.ts";
import { connectionError, nameOf, type WireAnswer, type WireRequest } from "./message.ts";
import type { StaleReplica } from "./stale-replica.ts";
import { Turnstile } from "./turnstile.ts";

/** Somebody who answers on the wire. */
export type Host = {
  readonly kind: HostKind;
  readonly name: string;
  /** `hostname:port` */
  readonly at: string;
  /** In this process; without it the request goes out as it is. */
  readonly serve?: (request: WireRequest) => Promise<WireAnswer>;
  /** Until when nobody answers there, ms since the epoch. */
  downUntil: number;
};

/** One request that was served; `environment` is undefined for the harness itself. */
export type Exchange = {
  readonly host: Host;
  readonly request: WireRequest;
  readonly answer: WireAnswer;
  readonly environment: Environment | undefined;
  /** When it was sent, by the clock of its sender. */
  readonly sentAtByItsClock: number;
  readonly servedAt: number;
};

/** Told before a request goes out, and of every exchange that was served, whether or not its answer arrives. */
export type Listener = {
  readonly sending?: (host: Host, request: WireRequest, environment: Environment) => void;
  readonly served: (exchange: Exchange) => void;
};

/** Everything that the functions and the harness say to AWS and to the clusters. */
export class Wire {
  readonly listeners: Listener[] = [];
  /** Exchanges by what became of them. */
  counts = { served: 0, failed: 0, down: 0, stale: 0 };
  readonly #hosts = new Map<string, Host>();
  #digest = createHash("sha256");
  readonly #turnstile = new Turnstile();
  #options: WireOptions | undefined;
  readonly #trace: ((line: string) => void) | undefined;

  /** Once for a process: what it replaces stays replaced. `trace` is told of every exchange of the functions. */
  constructor(trace?: (line: string) => void) {
    this.#trace = trace;
    interceptRequests((url) => {
      const host = this.#hosts.get(url.host);
      if (host === undefined) return undefined;
      return (request, send) => this.#exchange(host, request, send);
    });
  }

  /** Begins a run. */
  open(hosts: readonly Host[], options: WireOptions): void {
    this.#options = options;
    this.#digest = createHash("sha256");
    this.counts = { served: 0, failed: 0, down: 0, stale: 0 };
    for (const host of hosts) this.#hosts.set(host.at, host);
  }

  close(): void {
    this.#hosts.clear();
    this.listeners.splice(0);
  }

  /** Of who asked whom for what, when, and what came of it: equal for equal runs. */
  digest(): string {
    return this.#digest.copy().digest("hex").slice(0, 16);
  }

  async #exchange(host: Host, request: WireRequest, send: () => Promise<WireAnswer>): Promise<WireAnswer> {
    const { now, faults, replica } = this.#getOptions();
    const environment = currentEnvironment();
    const sentAtByItsClock = Date.now();
    const serve = async (): Promise<WireAnswer> => {
      const answer = await outsideEnvironments(() => host.serve?.(request) ?? send());
      const exchange = { host, request, answer, environment, sentAtByItsClock, servedAt: now() };
      for (const { served } of this.listeners) served(exchange);
      return answer;
    };
    if (environment === undefined) return serve();

    for (const { sending } of this.listeners) sending?.(host, request, environment);
    const { fault, sendMs, answerMs } = await this.#turnstile.pass(
      `${environment.name} ${host.name} ${nameOf(request)} ${request.body}`,
      () => (environment.step() ? faults.draw(host.kind) : STOPPED),
    );
    if (environment.isDead) return never();
    const note = (end: string): void => {
      const line = `${now().toFixed(3)} ${environment.name} ${host.name} ${nameOf(request)} ${end}\n`;
      this.#digest.update(line);
      this.#trace?.(line);
    };
    await sleep(sendMs);
    if (now() < host.downUntil) {
      this.counts.down += 1;
      note("down");
      throw connectionError("ECONNREFUSED");
    }
    if (fault.kind === "answer") {
      this.counts.failed += 1;
      note(fault.name);
      await sleep(answerMs);
      return environment.step() ? fault.answer : never();
    }
    if (fault.kind === "reset") this.counts.failed += 1;
    if (fault.kind === "reset" && fault.when === "before") {
      note("reset before");
      throw connectionError("ECONNRESET");
    }
    const stale = replica.draw(request);
    if (stale !== undefined) this.counts.stale += 1;
    const served = stale ?? (await serve());
    if (stale === undefined) replica.answered(request, served);
    const answer = faults.spoil(request, served);
    note(
      `${answer.status}${stale === undefined ? "" : " stale"}${fault.kind === "reset" ? " reset after" : ""}`,
    );
    if (fault.kind === "reset") throw connectionError("ECONNRESET");
    this.counts.served += 1;
    await sleep(answerMs);
    return environment.step() ? answer : never();
  }

  #getOptions(): WireOptions {
    if (this.#options === undefined) throw new TypeError("The wire is not open");
    return this.#options;
  }
}

/** Whoever is killed waits for good, as a process that is gone: no code of it runs any more. */
const never = (): Promise<never> => new Promise(() => {});

const STOPPED: Disturbance = { fault: { kind: "none" }, sendMs: 0, answerMs: 0 };

export type WireOptions = {
  readonly now: () => number;
  readonly faults: Faults;
  readonly replica: StaleReplica;
};
