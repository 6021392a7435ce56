import { parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { parseVersionId } from "../secret-id/parse-version-id.ts";
import { type Foreign, hasOwn, own, ownString } from "./own-property.ts";
import { given, type ParsedEvent, rejected } from "./parsed-event.ts";

/**
 * `{secretId, versionId?}`: how a team's own rotation function calls the relay when its finishSecret is done.
 * A person wrote this call, so spelling counts: unknown fields are refused.
 */
export function parseDirectCall(input: Foreign): ParsedEvent {
  if (Object.keys(input).some((key) => !FIELDS.has(key))) return rejected("UNKNOWN_FIELD");
  const source = parseSecretReference(ownString(input, "secretId") ?? "", "any");
  if (source === undefined) return rejected("MALFORMED_ID");
  const versionId = parseVersionId(own(input, "versionId"));
  if (versionId === undefined && hasOwn(input, "versionId")) return rejected("MALFORMED_VERSION_ID");
  return { kind: "change", change: { source, reason: "direct", ...given({ versionId }) } };
}

const FIELDS = new Set(["secretId", "versionId"]);
