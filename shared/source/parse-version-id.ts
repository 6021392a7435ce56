import type { VersionId } from "./secret-id.ts";

/**
 * A VersionId, or undefined. Most are UUIDs, but PutSecretValue accepts any token of up to 64 characters, so only the
 * length and printable characters are checked.
 */
export function parseVersionId(text: unknown): VersionId | undefined {
  return typeof text === "string" && /^[\x21-\x7e]{1,64}$/.test(text) ? (text as VersionId) : undefined;
}
