import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** Bytes that must never be printed: every usual conversion to a string gives "[secret]". */
export class SecretValue {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static fromText(text: string): SecretValue {
    return new SecretValue(Buffer.from(text, "utf8"));
  }

  static fromBase64(base64: string): SecretValue {
    return new SecretValue(Buffer.from(base64, "base64"));
  }

  /** The only access to the value and its length. Search for this name to find all code that handles values. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  equals(other: SecretValue): boolean {
    const [ours, theirs] = [this.#bytes, other.#bytes];
    return ours.byteLength === theirs.byteLength && timingSafeEqual(ours, theirs);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
