import { isForeign, own, ownString } from "../../shared/events/own-property.ts";
import { isInWindow } from "./call-window.ts";
import type { Refusal } from "./refusals.ts";

/** A well-formed and recent call whose signature is not verified yet. */
export type WebhookRequest = {
  /** The sender's id of the message; the same when the sender retries. */
  readonly id: string;
  /** In seconds, as signed. */
  readonly timestamp: number;
  /** Base64; only of scheme `v1`. */
  readonly signatures: readonly string[];
  readonly body: string;
};

export type ReadRequest = WebhookRequest | { readonly refusal: Refusal };

/**
 * Parses the event of a Function URL (payload format 2.0). Cheap checks come first, and the size is checked before
 * decoding or parsing. Does not use keys or bindings. Never throws.
 */
export function readRequest(event: unknown, now: number): ReadRequest {
  const http = own(own(event, "requestContext"), "http");
  const method = ownString(http, "method");
  const headers = own(event, "headers");
  if (method === undefined || !isForeign(headers)) return refused("NO_HTTP_CALL");
  if (method !== "POST") return refused("METHOD_NOT_ALLOWED");

  const raw = own(event, "body") ?? "";
  const isBase64 = own(event, "isBase64Encoded") === true;
  if (typeof raw !== "string") return refused("NO_HTTP_CALL");
  if (isTooLarge(raw, isBase64)) return refused("BODY_TOO_LARGE");

  const contentTypes = headersNamed(headers, "content-type");
  if (contentTypes.length !== 1 || !JSON_TYPE.test(contentTypes[0] ?? "")) {
    return refused("CONTENT_TYPE_UNSUPPORTED");
  }

  const id = readHeader(headers, "webhook-id", ID);
  if (typeof id !== "string") return id;
  const sentAt = readHeader(headers, "webhook-timestamp", SECONDS);
  if (typeof sentAt !== "string") return sentAt;
  const signatureList = readHeader(headers, "webhook-signature", SIGNATURES);
  if (typeof signatureList !== "string") return signatureList;

  const timestamp = Number(sentAt);
  if (!isInWindow(timestamp, now)) return refused("TIMESTAMP_OUTSIDE_WINDOW");

  const body = isBase64 ? decode(raw) : raw;
  if (body === undefined || !body.isWellFormed()) return refused("BODY_NOT_TEXT");
  const signatures = signatureList.split(" ").flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
  return { id, timestamp, signatures, body };
}

/** Enough for an id of at most 2,048 characters and the JSON around it. */
export const BODY_BYTES_MAX = 8_192;

// Four characters of base64 for three bytes.
const BASE64_CHARACTERS_MAX = Math.ceil(BODY_BYTES_MAX / 3) * 4;

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*("utf-8"|utf-8)[ \t]*)?$/i;
// No full stop: id, timestamp and body are signed with full stops between them, so a full stop in the id would make the
// same signature valid for another message. No comma: Lambda joins repeated headers with commas.
const ID = /^[A-Za-z0-9_~:@+=/-]{1,256}$/;
const SECONDS = /^[1-9][0-9]{0,10}$/;
// Signatures of other schemes than v1 are ignored.
const SIGNATURES = /^[a-z0-9]{1,8},[A-Za-z0-9+/=_-]{1,256}( [a-z0-9]{1,8},[A-Za-z0-9+/=_-]{1,256}){0,9}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isTooLarge(raw: string, isBase64: boolean): boolean {
  if (isBase64) {
    if (raw.length > BASE64_CHARACTERS_MAX) return true;
    const padding = raw.endsWith("==") ? 2 : raw.endsWith("=") ? 1 : 0;
    return (raw.length / 4) * 3 - padding > BODY_BYTES_MAX;
  }
  // Every character has at least one byte, so the cheap length check comes first.
  return raw.length > BODY_BYTES_MAX || Buffer.byteLength(raw, "utf8") > BODY_BYTES_MAX;
}

function decode(raw: string): string | undefined {
  if (!BASE64.test(raw)) return undefined;
  try {
    // ignoreBOM keeps a byte order mark, which is part of the signed body.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(raw, "base64"));
  } catch {
    return undefined;
  }
}

function readHeader(headers: object, name: string, pattern: RegExp): string | { readonly refusal: Refusal } {
  const [value, ...more] = headersNamed(headers, name);
  if (value === undefined || value === "") return refused("HEADER_MISSING");
  if (more.length > 0 || isJoined(name, value)) return refused("HEADER_REPEATED");
  return pattern.test(value) ? value : refused("HEADER_MALFORMED");
}

/** Lambda joins a repeated header into one value with a comma. Each signature contains one comma itself. */
function isJoined(name: string, value: string): boolean {
  const parts = name === "webhook-signature" ? value.split(" ") : [value];
  const commas = name === "webhook-signature" ? 1 : 0;
  return parts.some((part) => part.split(",").length - 1 > commas);
}

/** The values of a header, by its case-insensitive name. */
function headersNamed(headers: object, name: string): string[] {
  return Object.keys(headers).flatMap((key) => {
    const value = key.toLowerCase() === name ? own(headers, key) : undefined;
    return typeof value === "string" ? [value] : [];
  });
}

function refused(refusal: Refusal): { readonly refusal: Refusal } {
  return { refusal };
}
