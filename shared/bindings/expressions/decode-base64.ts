export type Encoding = "base64" | "base64url";

/**
 * Strict: only characters of the alphabet, correct length and padding, no extra bits. base64url may omit its padding, as
 * JWTs do; line breaks, as `base64` prints them, are ignored. Otherwise undefined.
 */
export function decodeBase64(text: string, encoding: Encoding): Buffer | undefined {
  const packed = text.replace(/[\r\n]+/g, "");
  const bytes = Buffer.from(packed, encoding);
  const again = bytes.toString(encoding);
  if (encoding === "base64") return again === packed ? bytes : undefined;
  const padding = "=".repeat((4 - (again.length % 4)) % 4);
  return packed === again || packed === `${again}${padding}` ? bytes : undefined;
}

/**
 * The bytes of text that is base64 or, if not, base64url, both with their padding; undefined for any other text. It is as
 * lenient as Go's decoder: line breaks and the extra bits of the last character are ignored.
 */
export function guessBase64(text: string): Buffer | undefined {
  const packed = text.replace(/[\r\n]+/g, "");
  const isEncoded = packed.length % 4 === 0 && ALPHABETS.some((alphabet) => alphabet.test(packed));
  return isEncoded ? Buffer.from(packed, "base64") : undefined; // Node reads both alphabets
}

const ALPHABETS = [/^[A-Za-z0-9+/]*={0,2}$/, /^[A-Za-z0-9_-]*={0,2}$/];
