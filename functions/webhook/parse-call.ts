import { parseDirectCall } from "../../shared/events/direct-call.ts";
import { hasOwn, isForeign, own } from "../../shared/events/own-property.ts";
import type { WebhookId } from "../../shared/events/parsed-event.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";

/** A signed body; `input` is the direct call for the rotation function. */
export type WebhookCall =
  | { readonly kind: "by-secret-id"; readonly source: SecretReference; readonly input: DirectCall }
  | { readonly kind: "by-webhook-id"; readonly webhookId: WebhookId; readonly input: DirectCall }
  | { readonly kind: "malformed"; readonly code: string; readonly advice: string };

export type DirectCall =
  | { readonly secretId: string; readonly versionId?: string }
  | { readonly webhookId: string };

/**
 * Parses `{"secretId": …}` or `{"webhookId": …}`, or the same as `data` of the envelope that Standard Webhooks
 * recommends. Builds a new `input`, so that nothing else of the body is passed on. Never throws.
 */
export function parseCall(body: string): WebhookCall {
  const json = readJson(body);
  if (!isForeign(json))
    return malformed("BODY_NOT_JSON", "Send a JSON object that names a secretId or a webhookId.");
  const call =
    hasOwn(json, "data") && Object.keys(json).every((key) => ENVELOPE.has(key)) ? own(json, "data") : json;
  if (!isForeign(call))
    return malformed("BODY_NOT_JSON", "Send a JSON object that names a secretId or a webhookId.");

  const parsed = parseDirectCall(call);
  switch (parsed.kind) {
    case "change": {
      const { source, versionId } = parsed.change;
      return {
        kind: "by-secret-id",
        source,
        input: { secretId: source.id, ...(versionId !== undefined && { versionId }) },
      };
    }
    case "webhook-call":
      return { kind: "by-webhook-id", webhookId: parsed.webhookId, input: { webhookId: parsed.webhookId } };
    case "rejected":
      return malformed(parsed.code, parsed.advice);
    default:
      return malformed("UNKNOWN_SHAPE", "Send a JSON object that names a secretId or a webhookId.");
  }
}

const ENVELOPE = new Set(["type", "timestamp", "data"]);

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function malformed(code: string, advice: string): WebhookCall {
  return { kind: "malformed", code, advice };
}
