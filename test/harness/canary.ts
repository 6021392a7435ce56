import { createHash, randomBytes } from "node:crypto";

/** Part of every value that a test calls a secret, and of nothing else; other tests use it under the name CANARY. */
export const MARK = "canary-7f3a9c1e";

/** A unique secret value with characters that break quoting and escaping, and the mark at both ends. */
export function newCanary(): string {
  const canary = `${MARK}-${randomBytes(9).toString("base64url")}-"\\é€/+&<%>'\n-${MARK}`;
  issue(canary);
  return canary;
}

/**
 * A canary of this many bytes, five digits or more, so that the number does not occur by chance (and above 60999,
 * where Linux's ephemeral ports end). Its length is searched for as well: in bytes and in the encodings of a value.
 */
export function newLongCanary(bytes = LENGTH): string {
  const canary = newCanary();
  const long = `${canary}${"x".repeat(bytes - Buffer.byteLength(canary) - MARK.length)}${MARK}`;
  issue(long);
  watchLengths(long);
  return long;
}

const LENGTH = 61_987;

/** Adds the lengths of a text, such as one that holds a canary, to the search. */
export function watchLengths(text: string): void {
  const bytes = Buffer.byteLength(text);
  for (const length of [bytes, text.length, Math.ceil(bytes / 3) * 4, bytes * 2]) lengths.add(length);
}

const issue = (canary: string): unknown => digests.push(...digestsOf(canary));
const digests: Form[] = [];
const lengths = new Set<number>();

/**
 * The forms in which a canary may occur in a text: the mark as code, a library or a log formatter may write its bytes,
 * digests of the issued canaries, and lengths of long ones. `alsoSecret` are other forbidden strings, such as AWS keys.
 */
export function findTraces(text: string, alsoSecret: readonly string[] = []): string[] {
  const squeezed = text.replaceAll(/\s+/g, ""); // what is printed in columns or wrapped lines
  const [folded, squeezedAndFolded] = [text.toLowerCase(), squeezed.toLowerCase()];
  const isThere = ({ spelling, isCaseSensitive }: Form): boolean => {
    if (isCaseSensitive) return text.includes(spelling) || squeezed.includes(spelling);
    const wanted = spelling.toLowerCase();
    return folded.includes(wanted) || squeezedAndFolded.includes(wanted);
  };
  const found = [...[MARK, ...alsoSecret].flatMap(formsOf), ...digests].filter(isThere);
  return [...found.map(({ form }) => form), ...lengthsIn(text)];
}

/** Separate numbers, with any thousands separator. */
function lengthsIn(text: string): string[] {
  const numbers = text.match(/(?<![0-9A-Za-z.,_-])[0-9]{1,3}([,_ ]?[0-9]{3})*(?![0-9A-Za-z_-])/g) ?? [];
  const isLength = numbers.some((number) => lengths.has(Number(number.replaceAll(/[^0-9]/g, ""))));
  return isLength ? ["length of a value"] : [];
}

type Form = { readonly form: string; readonly spelling: string; readonly isCaseSensitive: boolean };

function formsOf(secret: string): Form[] {
  const bytes = Buffer.from(secret, "utf8");
  const each = (print: (byte: number) => string, between = "") => [...bytes].map(print).join(between);
  const hex = (byte: number) => byte.toString(16).padStart(2, "0");
  const loose = { isCaseSensitive: false };
  const exact = { isCaseSensitive: true };
  return [
    { form: "plain", spelling: secret, ...loose },
    { form: "reversed", spelling: [...secret].reverse().join(""), ...loose },
    { form: "hex", spelling: bytes.toString("hex"), ...loose },
    { form: "bytes as numbers", spelling: each(String, ","), ...exact },
    { form: "URL-encoded throughout", spelling: each((byte) => `%${hex(byte)}`), ...loose },
    { form: "JSON-escaped throughout", spelling: each((byte) => `\\u00${hex(byte)}`), ...loose },
    { form: "UTF-16", spelling: each((byte) => `${String.fromCharCode(byte)}\0`), ...loose },
    ...[0, 1, 2].map((offset) => ({
      form: `base64 from byte ${offset} of three`,
      spelling: base64Within(bytes, offset),
      ...exact,
    })),
    ...[0, 1, 2].map((offset) => ({
      form: `base64 of base64 from byte ${offset} of three`,
      spelling: base64Within(Buffer.from(base64Within(bytes, 0)), offset),
      ...exact,
    })),
  ];
}

/** The base64 (of either alphabet) of these bytes inside a longer text: without its ends. */
function base64Within(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url");
  const spoiltAtStart = offset === 0 ? 0 : offset + 1;
  const spoiltAtEnd = (offset + bytes.length) % 3 === 0 ? 0 : 1;
  return padded.slice(spoiltAtStart, padded.length - spoiltAtEnd);
}

function digestsOf(canary: string): Form[] {
  return ["md5", "sha1", "sha256", "sha512"].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(canary).digest();
    return (["hex", "base64", "base64url"] as const).map((encoding) => ({
      form: `${algorithm} in ${encoding}`,
      spelling: digest.toString(encoding).replace(/=+$/, ""),
      isCaseSensitive: encoding !== "hex",
    }));
  });
}
