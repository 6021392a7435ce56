export type Encoding = "base64" | "base64url";

/**
 * Strict: only the letters of that alphabet, the right length and padding, and no bits left over. base64url may leave
 * its padding out, as JWTs do; line breaks, as `base64` prints them, are passed over. Undefined when it is anything else.
 */
export function decodeBase64(text: string, encoding: Encoding): Buffer | undefined {
  const packed = text.replace(/[\r\n]+/g, "");
  const bytes = Buffer.from(packed, encoding);
  const again = bytes.toString(encoding);
  if (encoding === "base64") return again === packed ? bytes : undefined;
  const padding = "=".repeat((4 - (again.length % 4)) % 4);
  return packed === again || packed === `${again}${padding}` ? bytes : undefined;
}
