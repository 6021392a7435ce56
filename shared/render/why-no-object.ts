import { isUtf8 } from "node:buffer";
import { findJsonFault } from "./find-json-fault.ts";
import { positionOf } from "./position-of.ts";

/** The text without a byte order mark, which says nothing in UTF-8; undefined for bytes that are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/**
 * Why a value has no keys, and what to do about it; neither holds a part of the value. Undefined if nothing suggests that
 * it is meant as JSON: a position in a password would reveal something about it.
 */
export function whyNoObject(bytes: Uint8Array): { readonly why: string; readonly fix: string } | undefined {
  const text = textOf(bytes);
  if (text === undefined) {
    if (!isUtf16(bytes)) return undefined;
    return { why: "is UTF-16 text", fix: "Save it as UTF-8" };
  }
  const start = text.trimStart().slice(0, SHOWN_START);
  if (start === "") return { why: "is empty", fix: "Put a JSON object into the source" };
  if (start.startsWith('"')) return whyQuoted(text);
  if (/^['`]\s*[{[]/.test(start)) {
    return { why: "is JSON within quotes, perhaps those of a shell", fix: "Remove the quotes around it" };
  }
  if (/^(?:e[yw]|W[3w])/.test(start) && isJsonObject(fromBase64(text))) {
    return { why: "is the base64 of a JSON object", fix: "Store the JSON object itself" };
  }
  if (!/^(?:[{[]|\/[/*]|#.*[\r\n]\s*[{[])/.test(start)) return undefined;
  const fault = findJsonFault(text);
  if (fault === undefined) {
    return start.startsWith("[")
      ? { why: "is a JSON list", fix: "Store a JSON object, which has keys" }
      : { why: "is JSON that is nested too deep", fix: "Flatten it" };
  }
  const where = fault.at === undefined ? "" : ` at ${positionOf(text, fault.at)}`;
  return { why: `is not JSON: it has ${fault.what}${where}`, fix: fault.fix };
}

const SHOWN_START = 1_000;

function whyQuoted(text: string): { why: string; fix: string } | undefined {
  let value = parse(text);
  let times = 0;
  while (typeof value === "string") {
    times += 1;
    value = parse(value);
  }
  if (times === 0 || value === undefined) return undefined;
  if (!isObject(value)) return undefined;
  const often = times === 1 ? "JSON inside a JSON string" : `JSON that was encoded ${times} times more`;
  return { why: `is ${often}`, fix: "Store the JSON object itself, without quotes around it" };
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // JSON.parse's own message quotes the text
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isJsonObject = (text: string | undefined): boolean => isObject(parse(text));

const fromBase64 = (text: string): string | undefined => textOf(Buffer.from(text, "base64"));

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
