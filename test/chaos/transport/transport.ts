import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Tally } from "../tally.ts";
import { currentEnvironment, type Environment, outsideEnvironments } from "./environment.ts";
import type { Disturbance, Faults } from "./faults.ts";
import type { Host } from "./host.ts";
import { interceptRequests } from "./intercept-requests.ts";
import { connectionError, kindOf, nameOf, type TransportRequest, type TransportResponse } from "./message.ts";
import { Scheduler } from "./scheduler.ts";
import type { StaleReplica } from "./stale-replica.ts";

/** One request that was served; `environment` is undefined for the harness itself. */
export type Exchange = {
  readonly host: Host;
  readonly request: TransportRequest;
  readonly answer: TransportResponse;
  readonly environment: Environment | undefined;
  /** When it was sent, by the clock of its sender. */
  readonly sentAtByItsClock: number;
  readonly servedAt: number;
};

/** Called before a request goes out, and after every exchange that was served, whether or not its response arrives. */
export type Listener = {
  readonly sending?: (host: Host, request: TransportRequest, environment: Environment) => void;
  readonly served: (exchange: Exchange) => void;
  /** The caller has the response, or has given up. */
  readonly closed?: (host: Host, environment: Environment) => void;
};

/** All traffic of the functions and the harness to AWS and to the clusters. */
export class Transport {
  readonly listeners: Listener[] = [];
  counts = newCounts();
  readonly #hosts = new Map<string, Host>();
  #digest = createHash("sha256");
  readonly #scheduler = new Scheduler();
  #options: TransportOptions | undefined;
  readonly #trace: ((line: string) => void) | undefined;
  #release: () => void = () => {};

  /** `trace` gets a line for every exchange of the functions. */
  constructor(trace?: (line: string) => void) {
    this.#trace = trace;
  }

  /** Begins a run: routes the requests of this process to these hosts through the transport until it is closed. */
  open(hosts: readonly Host[], options: TransportOptions): void {
    this.#options = options;
    this.#digest = createHash("sha256");
    this.counts = newCounts();
    for (const host of hosts) this.#hosts.set(host.at, host);
    this.#release = interceptRequests((url) => {
      const host = this.#hosts.get(url.host);
      if (host === undefined) return undefined;
      return (request, send, closed) => this.#exchange(host, request, send, closed);
    });
  }

  close(): void {
    this.#release();
    this.#hosts.clear();
    this.listeners.splice(0);
  }

  /** Resolves when one of the functions next sends such a request, for the object with that name if there is one. */
  requestTo(host: Host, kind: string, name = ""): Promise<void> {
    return new Promise((resolve) => {
      const listener: Listener = {
        sending: (to, request) => {
          if (to !== host || kindOf(request) !== kind || !request.url.pathname.endsWith(name)) return;
          this.listeners.splice(this.listeners.indexOf(listener), 1);
          resolve();
        },
        served: () => {},
      };
      this.listeners.push(listener);
    });
  }

  /** A digest of sender, receiver, request, time and result: equal for equal runs. */
  digest(): string {
    return this.#digest.copy().digest("hex").slice(0, 16);
  }

  async #exchange(
    host: Host,
    request: TransportRequest,
    send: () => Promise<TransportResponse>,
    closed: Promise<void>,
  ): Promise<TransportResponse> {
    const environment = currentEnvironment();
    const serve = this.#server(host, request, send, environment);
    const { now, faults, replica } = this.#getOptions();
    if (environment === undefined) {
      const answer = await serve();
      replica.answered(request, answer);
      return answer;
    }

    for (const { sending } of [...this.listeners]) sending?.(host, request, environment);
    void closed.then(() => {
      for (const listener of this.listeners) listener.closed?.(host, environment);
    });
    const what = kindOf(request);
    const { fault, sendMs, answerMs } = await this.#scheduler.pass(
      `${environment.name} ${host.name} ${nameOf(request)} ${request.body}`,
      () => (environment.step(what) ? faults.draw(host.kind, environment.network) : STOPPED),
    );
    if (environment.isDead) return never();
    const { counts } = this;
    const note = (end: string): void => {
      const line = `${now().toFixed(3)} ${environment.name} ${host.name} ${nameOf(request)} ${end}\n`;
      this.#digest.update(line);
      this.#trace?.(line);
    };
    const fails = (kind: string, code: "ECONNRESET" | "ECONNREFUSED"): never => {
      note(kind);
      throw connectionError(code);
    };

    if (await isCutOff(host, sendMs)) {
      counts.cut.beforeServed += 1;
      return fails("cut before", "ECONNRESET");
    }
    if (now() < host.downUntil && environment.network === "functions") {
      counts.unreachable += 1;
      return fails("down", "ECONNREFUSED");
    }
    if (now() < (host.silentUntil ?? 0) && environment.network === "functions") {
      counts.unanswered += 1;
      note("silent");
      return never();
    }
    if (host.life?.isUp === false) {
      counts.refused += 1;
      return fails("refused", "ECONNREFUSED");
    }
    if (fault.kind !== "none") {
      const kind = fault.kind === "answer" ? fault.name : `connection broken ${fault.when} it was served`;
      counts.failed.add(`${host.kind}: ${kind}`);
    }
    if (fault.kind === "answer") {
      note(fault.name);
      await sleep(answerMs);
      return environment.step(`the answer to ${what}`) ? fault.answer : never();
    }
    if (fault.kind === "reset" && fault.when === "before") return fails("reset before", "ECONNRESET");
    const stale = replica.draw(request);
    const served = stale ?? (await serve().catch((error: unknown) => this.#noteBroken(error, note)));
    if (stale === undefined) replica.answered(request, served);
    const answer = faults.spoil(request, served, () => counts.failed.add("aws: an item of a batch"));
    note(
      `${answer.status}${stale === undefined ? "" : " stale"}${fault.kind === "reset" ? " reset after" : ""}`,
    );
    if (fault.kind === "reset") throw connectionError("ECONNRESET");
    if (await isCutOff(host, answerMs)) {
      counts.cut.afterServed += 1;
      return fails("cut after", "ECONNRESET");
    }
    counts.served += 1;
    return environment.step(`the answer to ${what}`) ? answer : never();
  }

  #server(
    host: Host,
    request: TransportRequest,
    send: () => Promise<TransportResponse>,
    environment: Environment | undefined,
  ): () => Promise<TransportResponse> {
    const { now } = this.#getOptions();
    const sentAtByItsClock = Date.now();
    return async () => {
      const answer = await outsideEnvironments(() => host.serve?.(request, send) ?? send());
      const exchange = { host, request, answer, environment, sentAtByItsClock, servedAt: now() };
      for (const { served } of this.listeners) served(exchange);
      return answer;
    };
  }

  /** A real socket has broken: it is unknown whether the request was served. */
  #noteBroken(error: unknown, note: (end: string) => void): never {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") this.counts.refused += 1;
    else this.counts.cut.maybeServed += 1;
    note(code);
    throw error;
  }

  #getOptions(): TransportOptions {
    if (this.#options === undefined) throw new TypeError("The transport is not open");
    return this.#options;
  }
}

/** Waits this long, or until the server's process is killed. */
async function isCutOff({ life }: Host, ms: number): Promise<boolean> {
  const passes = sleep(ms).then(() => false);
  return life?.isUp ? Promise.race([passes, life.died.then(() => true)]) : passes;
}

function newCounts() {
  return {
    served: 0,
    /** By kind, as drawn. */
    failed: new Tally(),
    /** Connections broken because the server was killed. */
    cut: { beforeServed: 0, afterServed: 0, maybeServed: 0 },
    /** Connections refused. */
    refused: 0,
    unreachable: 0,
    /** Requests that a silent server accepted. */
    unanswered: 0,
  };
}

/** Code of a killed environment waits forever, as in a process that is gone. So does the caller of a silent server. */
const never = (): Promise<never> => new Promise(() => {});

const STOPPED: Disturbance = { fault: { kind: "none" }, sendMs: 0, answerMs: 0 };

export type TransportOptions = {
  readonly now: () => number;
  readonly faults: Faults;
  readonly replica: StaleReplica;
};
