import type { VersionId } from "./secret-id.ts";

/**
 * A VersionId, or undefined when it can be none. Most are UUIDs, but whoever writes a value may choose any token of
 * up to 64 characters, so only its length and its being printable are checked.
 */
export function parseVersionId(text: unknown): VersionId | undefined {
  return typeof text === "string" && /^[\x21-\x7e]{1,64}$/.test(text) ? (text as VersionId) : undefined;
}
