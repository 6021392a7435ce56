import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { KEYS_LIFE_MS, RENEWAL_MS } from "../../functions/webhook/cached-signing-keys.ts";
import { parseSigningKeys } from "../../functions/webhook/signing-key.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { findTraces, MARK, newCanary } from "../harness/canary.ts";
import { startWebhook } from "./start-webhook.ts";
import { newKey, webhookCall } from "./webhook-call.ts";

describe("while signing keys are replaced", () => {
  const [old, fresh] = [newKey(), newKey()];
  const start = () => {
    const secret = { keys: [old] };
    const webhook = startWebhook({ keys: () => secret.keys });
    const statusOf = async (...keys: string[]) => {
      const event = webhookCall({ webhookId: "shop-db" }, { keys, at: webhook.now() });
      return (await webhook.call(event)).statusCode;
    };
    return { secret, webhook, statusOf };
  };

  it("a call is accepted with either key, with both, and with an additional unknown one", async () => {
    const { secret, statusOf } = start();
    secret.keys = [fresh, old];

    expect(await statusOf(old)).toBe(202);
    expect(await statusOf(fresh)).toBe(202);
    expect(await statusOf(old, fresh)).toBe(202);
    expect(await statusOf(newKey(), fresh)).toBe(202);
  });

  it("the first call with a new key finds it, without waiting for the old keys to expire", async () => {
    const { secret, webhook, statusOf } = start();
    await statusOf(old);
    webhook.pass(RENEWAL_MS);
    secret.keys = [fresh, old];

    expect(await statusOf(fresh)).toBe(202);
    expect(webhook.keyReads()).toBe(2);
  });

  it("unknown keys cause at most one read a minute", async () => {
    const { webhook, statusOf } = start();
    for (let second = 0; second < 59; second += 1) {
      await statusOf(newKey());
      webhook.pass(1_000);
    }

    expect(webhook.keyReads()).toBe(1);
  });

  it("a removed key is rejected after five minutes at the latest", async () => {
    const { secret, webhook, statusOf } = start();
    await statusOf(old);
    secret.keys = [fresh];
    webhook.pass(KEYS_LIFE_MS - 1);
    expect(await statusOf(old)).toBe(202);
    webhook.pass(1);

    expect(await statusOf(old)).toBe(401);
  });
});

describe("when the keys cannot be read", () => {
  class Unreadable extends RelayError {
    readonly code = "SOURCE_UNAVAILABLE";
    readonly retryable = true;
  }

  it("a caller is asked to retry, and not every call reads from Secrets Manager", async () => {
    let broken = true;
    const key = newKey();
    const webhook = startWebhook({
      keys: () => {
        if (broken) throw new Unreadable("Secrets Manager did not answer properly.");
        return [key];
      },
    });
    const call = () =>
      webhook.call(webhookCall({ webhookId: "shop-db" }, { keys: [key], at: webhook.now() }));

    const answers = [await call(), await call()];
    broken = false;
    webhook.pass(5_000);
    const later = await call();

    for (const answer of answers) {
      expect(answer).toMatchObject({ statusCode: 503, headers: { "retry-after": "5" } });
      expect(answer.body).toBe('{"code":"UNAVAILABLE","message":"Nothing was done. Send the call again."}');
    }
    expect(webhook.logs[0]).toMatchObject({
      code: "WEBHOOK_CALL_FAILED",
      fields: { code: "SOURCE_UNAVAILABLE" },
    });
    expect(webhook.metrics[0]).toEqual({ name: "WebhookCallsFailed", code: "SOURCE_UNAVAILABLE" });
    expect(later.statusCode).toBe(202);
    expect(webhook.keyReads()).toBe(2);
  });

  it("the cached keys stay in use while a renewal fails", async () => {
    let broken = false;
    const key = newKey();
    const webhook = startWebhook({
      keys: () => {
        if (broken) throw new Unreadable("Secrets Manager did not answer properly.");
        return [key];
      },
    });
    const call = (signer: string) =>
      webhook.call(webhookCall({ webhookId: "shop-db" }, { keys: [signer], at: webhook.now() }));
    await call(key);
    broken = true;
    webhook.pass(RENEWAL_MS);

    expect((await call(newKey())).statusCode).toBe(401);
    expect((await call(key)).statusCode).toBe(202);
    expect(webhook.logs.map(({ code }) => code)).toContain("WEBHOOK_KEYS_NOT_RENEWED");
  });
});

describe("a secret of signing keys", () => {
  const parse = (text: string) => parseSigningKeys(SecretValue.fromText(text));
  const keyOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, MARK).toString("base64")}`;

  it("has one to ten keys of 24 to 64 bytes", () => {
    expect(parse(JSON.stringify({ keys: [keyOf(24)] }))).toHaveLength(1);
    expect(parse(JSON.stringify({ keys: Array(10).fill(keyOf(64)) }))).toHaveLength(10);
  });

  it.each([
    { it: "is not JSON", text: newCanary() },
    { it: "is a single key", text: JSON.stringify(keyOf(32)) },
    { it: "is null", text: "null" },
    { it: "has no keys", text: '{"keys":[]}' },
    { it: "has eleven keys", text: JSON.stringify({ keys: Array(11).fill(keyOf(32)) }) },
    { it: "has a short key", text: JSON.stringify({ keys: [keyOf(32), keyOf(23)] }) },
    { it: "has a long key", text: JSON.stringify({ keys: [keyOf(65)] }) },
    { it: "has a key without its prefix", text: JSON.stringify({ keys: [keyOf(32).slice(6)] }) },
    { it: "has a key that is not base64", text: JSON.stringify({ keys: [`${keyOf(33)}*`] }) },
    {
      it: "has a private key of the other scheme",
      text: JSON.stringify({ keys: [keyOf(32).replace("whsec", "whsk")] }),
    },
  ])("that $it is refused with a code, and not quoted", ({ text }) => {
    let error: unknown;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toMatchObject({
      name: "WebhookKeysInvalid",
      code: "WEBHOOK_KEYS_INVALID",
      retryable: false,
    });
    expect(findTraces(inspect(error, { depth: null, showHidden: true }))).toEqual([]);
  });

  it("is not printed with the keys that are parsed from it", () => {
    const [key] = parse(JSON.stringify({ keys: [newKey()] }));

    expect(findTraces(inspect(key, { depth: null, showHidden: true }) + JSON.stringify({ key }))).toEqual([]);
  });
});
