import { timingSafeEqual } from "node:crypto";
import type { WebhookRequest } from "./read-request.ts";
import type { SigningKey } from "./signing-key.ts";

/**
 * Whether any of the keys made any of the signatures. Always tries every key on every signature, so that the time
 * reveals neither the matching key nor a partial match.
 */
export function isSigned(request: WebhookRequest, keys: readonly SigningKey[]): boolean {
  let matches = 0;
  for (const key of keys) {
    const expected = Buffer.from(key(request));
    for (const signature of request.signatures) matches += isEqual(Buffer.from(signature), expected) ? 1 : 0;
  }
  return matches > 0;
}

/** The length of a signature is public; the rest is compared in constant time. */
function isEqual(one: Buffer, other: Buffer): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}
