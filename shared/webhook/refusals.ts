/**
 * Every code by which an HTTP call is not accepted, with the status that its caller sees and what to do.
 *
 * What depends only on what the caller sent is told to the caller. What depends on the keys or the bindings is not: a
 * signature that no key made and an id that no binding has are one answer, and the log alone knows which it was.
 */
export const REFUSALS = {
  NO_HTTP_CALL: {
    status: 400,
    advice: "Call the function by its URL. To sync without a signature, invoke the rotation function.",
  },
  METHOD_NOT_ALLOWED: { status: 405, advice: "Send a POST." },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, advice: "Send JSON, with content-type: application/json." },
  BODY_TOO_LARGE: { status: 413, advice: "Send at most 8,192 bytes: an id, and no value." },
  BODY_NOT_TEXT: { status: 400, advice: "Send JSON in UTF-8." },
  HEADER_MISSING: {
    status: 400,
    advice: "Send webhook-id, webhook-timestamp and webhook-signature, as Standard Webhooks has them.",
  },
  HEADER_REPEATED: { status: 400, advice: "Send each of the webhook headers once." },
  HEADER_MALFORMED: {
    status: 400,
    advice:
      "webhook-id: up to 256 letters, digits or _~:@+=/- and no full stop. webhook-timestamp: whole seconds. webhook-signature: up to 10 of v1,<base64>, separated by spaces.",
  },
  TIMESTAMP_OUTSIDE_WINDOW: {
    status: 400,
    advice: "Sign when you send: webhook-timestamp may be five minutes off at most. Check the clock.",
  },
  SIGNATURE_UNKNOWN: { status: 401, advice: "No key in WebhookKeySecretArn made this signature." },
  ID_NOT_BOUND: {
    status: 401,
    advice: "The signature is right, and no binding has the id that the body names.",
  },
  BODY_NOT_JSON: { status: 400, advice: "Send a JSON object that names a secretId or a webhookId." },
  CALLS_TOO_MANY: { status: 429, advice: "Wait as long as retry-after says, then send it again." },
} as const satisfies Record<string, { readonly status: number; readonly advice: string }>;

export type Refusal = keyof typeof REFUSALS;
