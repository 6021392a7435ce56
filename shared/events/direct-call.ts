import { parseSecretReference } from "../source/parse-secret-reference.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import { type Foreign, hasOwn, own, ownString } from "./own-property.ts";
import { type ParsedEvent, rejected, type WebhookId, withoutUndefined } from "./parsed-event.ts";

/**
 * `{secretId, versionId?}`: how a team's own rotation function calls the relay after its finishSecret step; or
 * `{webhookId}`: the same for every source whose binding has that id. People write these calls, so unknown fields are
 * refused to catch misspellings.
 */
export function parseDirectCall(input: Foreign): ParsedEvent {
  const isByWebhookId = hasOwn(input, "webhookId");
  const fields = isByWebhookId ? WEBHOOK_FIELDS : SECRET_FIELDS;
  if (Object.keys(input).some((key) => !fields.has(key))) return rejected("UNKNOWN_FIELD");
  if (isByWebhookId) {
    const webhookId = ownString(input, "webhookId") ?? "";
    return WEBHOOK_ID.test(webhookId)
      ? { kind: "webhook-call", webhookId: webhookId as WebhookId }
      : rejected("MALFORMED_WEBHOOK_ID");
  }
  const source = parseSecretReference(ownString(input, "secretId") ?? "", "any");
  if (source === undefined) return rejected("MALFORMED_ID");
  const versionId = parseVersionId(own(input, "versionId"));
  if (versionId === undefined && hasOwn(input, "versionId")) return rejected("MALFORMED_VERSION_ID");
  return { kind: "change", change: { source, reason: "direct", ...withoutUndefined({ versionId }) } };
}

const SECRET_FIELDS = new Set(["secretId", "versionId"]);
const WEBHOOK_FIELDS = new Set(["webhookId"]);
// The same pattern as in bindings.schema.json; a test compares them.
const WEBHOOK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
