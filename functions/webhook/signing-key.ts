import { Webhook } from "standardwebhooks";
import { RelayError } from "../../shared/relay-error.ts";
import type { SecretValue } from "../../shared/source/secret-value.ts";
import type { WebhookRequest } from "./read-request.ts";

/** Returns the v1 signature of a call. The key's bytes are in the closure, where they cannot be printed. */
export type SigningKey = (request: Pick<WebhookRequest, "id" | "timestamp" | "body">) => string;

/** Parses `{"keys": ["whsec_…", …]}`. Throws WebhookKeysInvalid, which quotes nothing. */
export function parseSigningKeys(value: SecretValue): readonly SigningKey[] {
  const keys = readKeys(Buffer.from(value.expose()).toString("utf8"));
  if (keys === undefined || keys.length === 0 || keys.length > KEYS_MAX || !keys.every(isKey)) {
    throw new WebhookKeysInvalid();
  }
  return keys.map((key) => {
    const webhook = new Webhook(key);
    return ({ id, timestamp, body }) =>
      webhook.sign(id, new Date(timestamp * 1_000), body).slice("v1,".length);
  });
}

/** The secret of WebhookKeySecretArn does not hold valid keys. */
export class WebhookKeysInvalid extends RelayError {
  override readonly name = "WebhookKeysInvalid";
  readonly code = "WEBHOOK_KEYS_INVALID";
  readonly retryable = false;
  constructor() {
    super(
      'The signing keys are not valid. The secret must be {"keys": ["whsec_…"]} with one to ten keys, each whsec_ and the base64 of 24 to 64 random bytes.',
    );
  }
}

// One for each sender, and two during the exchange of a key. Each key costs an HMAC per call.
const KEYS_MAX = 10;

function readKeys(text: string): readonly unknown[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function isKey(key: unknown): key is string {
  const [, base64 = ""] = (typeof key === "string" && KEY.exec(key)) || [];
  const bytes = Buffer.from(base64, "base64").byteLength;
  return bytes >= 24 && bytes <= 64; // the limits of Standard Webhooks
}

const KEY = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;
