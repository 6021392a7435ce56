/**
 * Every code of a refused HTTP call, with its status and advice.
 *
 * The caller sees a code that depends only on the call itself. An unknown signature and an unbound id depend on keys
 * and bindings, so they give the same response, and only the log shows which one it was.
 */
export const REFUSALS = {
  NO_HTTP_CALL: {
    status: 400,
    advice: "Call the function by its URL. To sync without a signature, invoke the rotation function.",
  },
  METHOD_NOT_ALLOWED: { status: 405, advice: "Send a POST." },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, advice: "Send JSON, with content-type: application/json." },
  BODY_TOO_LARGE: { status: 413, advice: "Send at most 8,192 bytes: only an id, never a value." },
  BODY_NOT_TEXT: { status: 400, advice: "Send JSON in UTF-8." },
  HEADER_MISSING: {
    status: 400,
    advice: "Send webhook-id, webhook-timestamp and webhook-signature, as specified by Standard Webhooks.",
  },
  HEADER_REPEATED: { status: 400, advice: "Send each of the webhook headers once." },
  HEADER_MALFORMED: {
    status: 400,
    advice:
      "webhook-id: up to 256 letters, digits or _~:@+=/- without a full stop. webhook-timestamp: whole seconds. webhook-signature: up to 10 of v1,<base64>, separated by spaces.",
  },
  TIMESTAMP_OUTSIDE_WINDOW: {
    status: 400,
    advice:
      "Sign the call when you send it: webhook-timestamp may be at most five minutes off. Check the clock.",
  },
  SIGNATURE_UNKNOWN: {
    status: 401,
    advice: "No key in WebhookKeySecretArn made this signature. Check the sender's key.",
  },
  ID_NOT_BOUND: {
    status: 401,
    advice:
      "The signature is valid, but no binding has the id in the body. Correct the id, or add it to a binding.",
  },
  BODY_NOT_JSON: { status: 400, advice: "Send a JSON object that names a secretId or a webhookId." },
  CALLS_TOO_MANY: { status: 429, advice: "Wait for the seconds in retry-after, then send it again." },
} as const satisfies Record<string, { readonly status: number; readonly advice: string }>;

export type Refusal = keyof typeof REFUSALS;
