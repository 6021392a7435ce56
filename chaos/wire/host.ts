import type { WireAnswer, WireRequest } from "./message.ts";

export type HostKind = "aws" | "cluster" | "credentials";

/** Somebody who answers on the wire. */
export type Host = {
  readonly kind: HostKind;
  readonly name: string;
  /** `hostname:port` */
  readonly at: string;
  /** Answers in this process, or in place of whom `send` asks; without it the request goes out as it is. */
  readonly serve?: (request: WireRequest, send: () => Promise<WireAnswer>) => Promise<WireAnswer>;
  /** Until when nobody answers there, ms since the epoch. */
  downUntil: number;
  /** Where no socket tells that the process behind it was killed. */
  readonly life?: ProcessLife;
};

/** The processes behind a host, one after the other: what a socket to one of them would tell. */
export class ProcessLife {
  #isUp = true;
  #death = Promise.withResolvers<void>();

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Of the process that runs now. */
  get died(): Promise<void> {
    return this.#death.promise;
  }

  /** Breaks every connection in this moment. */
  kill(): void {
    this.#isUp = false;
    this.#death.resolve();
  }

  startAgain(): void {
    this.#isUp = true;
    this.#death = Promise.withResolvers<void>();
  }
}
