import type { TransportRequest, TransportResponse } from "./message.ts";

/** S3 is a host of its own, because it fails by itself. */
export type HostKind = "aws" | "s3" | "cluster" | "credentials";

/** A server that the transport can reach. */
export type Host = {
  readonly kind: HostKind;
  readonly name: string;
  /** `hostname:port` */
  readonly at: string;
  /** Answers in this process, or replaces `send`; without it the request goes out unchanged. */
  readonly serve?: (
    request: TransportRequest,
    send: () => Promise<TransportResponse>,
  ) => Promise<TransportResponse>;
  /** Unreachable until then, ms since the epoch. */
  downUntil: number;
  /** Until then it accepts requests of the functions and never answers. */
  silentUntil?: number;
  /** For servers without a socket, which would show that the process was killed. */
  readonly life?: ProcessLife;
};

/** The successive processes of a server: replaces what a socket to one of them would show. */
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

  /** Breaks every open connection. */
  kill(): void {
    this.#isUp = false;
    this.#death.resolve();
  }

  startAgain(): void {
    this.#isUp = true;
    this.#death = Promise.withResolvers<void>();
  }
}
