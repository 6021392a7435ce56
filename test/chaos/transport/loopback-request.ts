import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { connectionError, type TransportResponse } from "./message.ts";

/**
 * Replaces Node's ClientRequest: implements what the AWS SDK's handler and the relay's own transport use. The caller
 * passes in the exchange.
 */
export class LoopbackRequest extends EventEmitter {
  readonly socket = new LoopbackSocket();
  destroyed = false;
  readonly #exchange: (body: Buffer) => Promise<TransportResponse>;
  readonly #chunks: Buffer[] = [];
  #isAnswered = false;

  constructor(exchange: (body: Buffer) => Promise<TransportResponse>, signal: AbortSignal | undefined) {
    super();
    this.#exchange = exchange;
    const abort = () => this.destroy(Object.assign(new Error("aborted"), { code: "ABORT_ERR" }));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.once("close", () => signal?.removeEventListener("abort", abort));
  }

  write(chunk: Uint8Array | string): boolean {
    this.#chunks.push(Buffer.from(chunk as string));
    return true;
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(chunk);
    if (this.destroyed) return;
    this.#exchange(Buffer.concat(this.#chunks)).then(
      (answer) => this.#answer(answer),
      (error: Error) => this.destroy(error),
    );
  }

  destroy(error?: Error): this {
    if (this.destroyed || this.#isAnswered) return this;
    this.destroyed = true;
    queueMicrotask(() => {
      this.emit("error", error ?? connectionError("ECONNRESET"));
      this.emit("close");
    });
    return this;
  }

  #answer({ status, headers, body }: TransportResponse): void {
    if (this.destroyed) return;
    this.#isAnswered = true;
    const incoming = Object.assign(Readable.from([Buffer.from(body)], { objectMode: false }), {
      statusCode: status,
      statusMessage: "",
      headers,
      complete: true,
    });
    incoming.once("close", () => this.emit("close"));
    this.emit("response", incoming);
  }
}

/** Always connected; the rest is unused. */
class LoopbackSocket extends EventEmitter {
  readonly connecting = false;
  setKeepAlive(): void {}
  setNoDelay(): void {}
  setTimeout(): void {}
  destroy(): void {}
}
