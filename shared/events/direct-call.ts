import { parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { parseVersionId } from "../secret-id/parse-version-id.ts";
import { type Foreign, hasOwn, own, ownString } from "./own-property.ts";
import { given, type ParsedEvent, rejected, type WebhookId } from "./parsed-event.ts";

/**
 * `{secretId, versionId?}`: how a team's own rotation function calls the relay when its finishSecret is done; or
 * `{webhookId}`: the same for every source whose binding states that id. A person wrote this call, so spelling counts:
 * unknown fields are refused.
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
  return { kind: "change", change: { source, reason: "direct", ...given({ versionId }) } };
}

const SECRET_FIELDS = new Set(["secretId", "versionId"]);
const WEBHOOK_FIELDS = new Set(["webhookId"]);
// As bindings.schema.json has it; a test holds the two together.
const WEBHOOK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
