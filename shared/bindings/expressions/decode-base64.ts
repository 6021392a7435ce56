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
