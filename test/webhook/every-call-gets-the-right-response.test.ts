import { describe, expect, it } from "vitest";
import { WINDOW_SECONDS } from "../../functions/webhook/call-window.ts";
import { CALLS_PER_MINUTE_MAX, rateLimiter } from "../../functions/webhook/rate-limiter.ts";
import { REFUSALS } from "../../functions/webhook/refusals.ts";
import { CALLS_MAX } from "../../functions/webhook/replay-cache.ts";
import { MARK, newCanary } from "../harness/canary.ts";
import { startWebhook, type TestWebhook } from "./start-webhook.ts";
import { type CallOptions, newKey, sign, webhookCall } from "./webhook-call.ts";

const KEY = newKey();
const OTHER_KEY = newKey();
const start = (callsPerMinute?: number) =>
  startWebhook({ keys: () => [KEY], ...(callsPerMinute !== undefined && { callsPerMinute }) });

/** One call to a new webhook: status, code of the response, codes of the log. */
async function outcomeOf(body: unknown, options: CallOptions & { readonly atOffsetMs?: number } = {}) {
  const webhook = start();
  const at = webhook.now() + (options.atOffsetMs ?? 0);
  const answer = await webhook.call(webhookCall(body, { keys: [KEY], at, ...options }));
  return {
    status: answer.statusCode,
    code: JSON.parse(answer.body).code,
    logged: webhook.logs.map(({ code, fields }) => fields.code ?? code),
    invoked: webhook.invoked,
  };
}

describe("a valid call", () => {
  it.each([
    { it: "names a source", body: { secretId: "prod/db" }, input: { secretId: "prod/db" } },
    {
      it: "names a source by ARN, and a version",
      body: {
        secretId: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
        versionId: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
      },
      input: {
        secretId: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
        versionId: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
      },
    },
    { it: "names a webhook id", body: { webhookId: "shop-db" }, input: { webhookId: "shop-db" } },
    {
      it: "comes in the envelope of Standard Webhooks",
      body: { type: "secret.rotated", timestamp: "2026-11-25T03:00:00Z", data: { webhookId: "shop-db" } },
      input: { webhookId: "shop-db" },
    },
    {
      it: "has a timestamp in the future, and passes on no time",
      body: { type: "secret.rotated", timestamp: "2099-01-01T00:00:00Z", data: { secretId: "prod/db" } },
      input: { secretId: "prod/db" },
    },
  ])("is passed on when it $it", async ({ body, input }) => {
    expect(await outcomeOf(body)).toEqual({
      status: 202,
      code: "ACCEPTED",
      logged: ["WEBHOOK_CALL_ACCEPTED"],
      invoked: [input],
    });
  });

  it.each([
    { it: "as base64, as Lambda encodes a body that is not text", options: { isBase64Encoded: true } },
    {
      it: "with a character set in the content type",
      options: { headers: { "content-type": 'Application/JSON; charset="UTF-8"' } },
    },
    { it: "five minutes old", options: { atOffsetMs: -300_000 } },
    {
      it: "with upper-case headers",
      options: { headers: { "webhook-id": undefined, "Webhook-Id": "msg_1" }, id: "msg_1" },
    },
    {
      it: "with extra signatures of other versions",
      options: { id: "msg_2", signature: "" },
    },
  ])("is accepted $it", async ({ options }) => {
    const body = JSON.stringify({ secretId: "prod/db" });
    const at = start().now();
    const withOthers =
      options.signature === ""
        ? {
            signature: `v1a,${"A".repeat(86)}== ${sign(KEY, "msg_2", String(Math.floor(at / 1_000)), body)} v9,x`,
          }
        : {};

    expect(await outcomeOf(body, { ...options, ...withOthers })).toMatchObject({
      status: 202,
      invoked: [{}],
    });
  });
});

describe("a call that is refused", () => {
  const body = { secretId: "prod/db" };
  const padded = (bytes: number) => JSON.stringify({ secretId: "prod/db" }).padEnd(bytes);

  it.each([
    {
      it: "forged: signed with another key",
      body,
      options: { keys: [OTHER_KEY] },
      want: "SIGNATURE_UNKNOWN",
    },
    {
      it: "forged: a signature of the right length",
      body,
      options: { signature: `v1,${"A".repeat(43)}=` },
      want: "SIGNATURE_UNKNOWN",
    },
    {
      it: "forged: the body was changed in transit",
      body,
      options: { sentBody: '{"secretId":"prod/cache"}' },
      want: "SIGNATURE_UNKNOWN",
    },
    {
      it: "forged: the id was changed",
      body,
      options: { headers: { "webhook-id": "msg_other" } },
      want: "SIGNATURE_UNKNOWN",
    },
    {
      it: "forged: only signatures of other versions",
      body,
      options: { signature: "v1a,AAAA v2,AAAA" },
      want: "SIGNATURE_UNKNOWN",
    },
    {
      it: "unknown: no binding has that source",
      body: { secretId: "prod/other" },
      options: {},
      want: "ID_NOT_BOUND",
    },
    {
      it: "unknown: no binding has that webhook id",
      body: { webhookId: "other" },
      options: {},
      want: "ID_NOT_BOUND",
    },
    {
      it: "unknown: that source is in another account",
      body: { secretId: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:prod/db-AbCdEf" },
      options: {},
      want: "ID_NOT_BOUND",
    },
    {
      it: "stale: more than five minutes old",
      body,
      options: { atOffsetMs: -301_000 },
      want: "TIMESTAMP_OUTSIDE_WINDOW",
    },
    {
      it: "stale: more than five minutes early",
      body,
      options: { atOffsetMs: 301_000 },
      want: "TIMESTAMP_OUTSIDE_WINDOW",
    },
    { it: "oversized: one byte too many", body: padded(8_193), options: {}, want: "BODY_TOO_LARGE" },
    {
      it: "oversized: one byte too many in base64",
      body: padded(8_193),
      options: { isBase64Encoded: true },
      want: "BODY_TOO_LARGE",
    },
    {
      it: "oversized: in bytes, not in characters",
      body: JSON.stringify({ secretId: "é".repeat(4_090) }),
      options: {},
      want: "BODY_TOO_LARGE",
    },
    { it: "of another method", body, options: { method: "GET" }, want: "METHOD_NOT_ALLOWED" },
    {
      it: "of another content type",
      body,
      options: { headers: { "content-type": "text/plain" } },
      want: "CONTENT_TYPE_UNSUPPORTED",
    },
    {
      it: "of a form's content type",
      body,
      options: { headers: { "content-type": "application/x-www-form-urlencoded" } },
      want: "CONTENT_TYPE_UNSUPPORTED",
    },
    {
      it: "of another character set",
      body,
      options: { headers: { "content-type": "application/json; charset=utf-16" } },
      want: "CONTENT_TYPE_UNSUPPORTED",
    },
    {
      it: "without a content type",
      body,
      options: { headers: { "content-type": undefined } },
      want: "CONTENT_TYPE_UNSUPPORTED",
    },
    {
      it: "of two content types",
      body,
      options: { headers: { "content-type": "application/json,application/json" } },
      want: "CONTENT_TYPE_UNSUPPORTED",
    },
    { it: "without an id", body, options: { headers: { "webhook-id": undefined } }, want: "HEADER_MISSING" },
    {
      it: "without a timestamp",
      body,
      options: { headers: { "webhook-timestamp": undefined } },
      want: "HEADER_MISSING",
    },
    {
      it: "without a signature",
      body,
      options: { headers: { "webhook-signature": undefined } },
      want: "HEADER_MISSING",
    },
    {
      it: "with an empty signature",
      body,
      options: { headers: { "webhook-signature": "" } },
      want: "HEADER_MISSING",
    },
    {
      it: "with two ids, as Lambda joins them",
      body,
      options: { headers: { "webhook-id": "msg_1,msg_2" } },
      want: "HEADER_REPEATED",
    },
    {
      it: "with two ids, in headers of different case",
      body,
      options: { headers: { "Webhook-Id": "msg_2" } },
      want: "HEADER_REPEATED",
    },
    {
      it: "with two timestamps",
      body,
      options: { headers: { "webhook-timestamp": "1795575600,1795575601" } },
      want: "HEADER_REPEATED",
    },
    {
      it: "with two signature headers",
      body,
      options: { headers: { "webhook-signature": "v1,AAAA,v1,BBBB" } },
      want: "HEADER_REPEATED",
    },
    { it: "with a full stop in its id", body, options: { id: "msg.1" }, want: "HEADER_MALFORMED" },
    {
      it: "with a timestamp that is not a number",
      body,
      options: { headers: { "webhook-timestamp": "1795575600s" } },
      want: "HEADER_MALFORMED",
    },
    {
      it: "with a timestamp in hexadecimal",
      body,
      options: { headers: { "webhook-timestamp": "0x6b066a30" } },
      want: "HEADER_MALFORMED",
    },
    {
      it: "with eleven signatures",
      body,
      options: { signature: Array(11).fill("v1,AAAA").join(" ") },
      want: "HEADER_MALFORMED",
    },
    {
      it: "with a signature without its version",
      body,
      options: { signature: "AAAA" },
      want: "HEADER_MALFORMED",
    },
    {
      it: "malformed: not base64",
      body,
      options: { isBase64Encoded: true, sentBody: "not base64!" },
      want: "BODY_NOT_TEXT",
    },
    {
      it: "malformed: not UTF-8",
      body,
      options: { isBase64Encoded: true, sentBody: "/w==" },
      want: "BODY_NOT_TEXT",
    },
    { it: "malformed: half a character", body: '{"secretId":"\ud83d"}', options: {}, want: "BODY_NOT_TEXT" },
    { it: "malformed: not JSON", body: `password=${MARK}`, options: {}, want: "BODY_NOT_JSON" },
    { it: "malformed: empty", body: "", options: {}, want: "BODY_NOT_JSON" },
    { it: "malformed: a list", body: [body], options: {}, want: "BODY_NOT_JSON" },
    { it: "malformed: no id", body: { password: newCanary() }, options: {}, want: "UNKNOWN_FIELD" },
    {
      it: "malformed: an id and an extra field",
      body: { ...body, value: newCanary() },
      options: {},
      want: "UNKNOWN_FIELD",
    },
    { it: "malformed: two ids", body: { ...body, webhookId: "shop-db" }, options: {}, want: "UNKNOWN_FIELD" },
    {
      it: "malformed: an invalid id",
      body: { secretId: `prod/${MARK} ` },
      options: {},
      want: "MALFORMED_ID",
    },
    {
      it: "malformed: an invalid version",
      body: { ...body, versionId: "x y" },
      options: {},
      want: "MALFORMED_VERSION_ID",
    },
    {
      it: "malformed: an invalid webhook id",
      body: { webhookId: "-" },
      options: {},
      want: "MALFORMED_WEBHOOK_ID",
    },
    {
      it: "malformed: an empty envelope",
      body: { type: "x", data: "prod/db" },
      options: {},
      want: "BODY_NOT_JSON",
    },
  ])("is $it: $want", async ({ body, options, want }) => {
    const { status = 400 } = (REFUSALS as Record<string, { status: number }>)[want] ?? {};

    expect(await outcomeOf(body, options)).toEqual({
      status,
      code: status === 401 ? "CALL_REFUSED" : want,
      logged: [want],
      invoked: [],
    });
  });

  it("gets the allowed method if its method is wrong", async () => {
    const answer = await start().call(webhookCall("", { method: "PUT" }));

    expect(answer.headers.allow).toBe("POST");
  });

  it("is measured before it is decoded, at any size", async () => {
    const webhook = start();
    const sentBody = "A".repeat(6_000_000); // more than Lambda accepts

    const answer = await webhook.call(
      webhookCall({}, { at: webhook.now(), sentBody, isBase64Encoded: true }),
    );

    expect(answer.statusCode).toBe(413);
  });
});

describe("a call that is replayed", () => {
  const body = { secretId: "prod/db" };

  it("gets the same response, and is processed once", async () => {
    const webhook = start();
    const event = webhookCall(body, { keys: [KEY], at: webhook.now() });

    const answers = [await webhook.call(event), await webhook.call(event), await webhook.call(event)];

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(webhook.invoked).toHaveLength(1);
    expect(webhook.logs.map(({ code }) => code)).toEqual([
      "WEBHOOK_CALL_ACCEPTED",
      "WEBHOOK_CALL_REPEATED",
      "WEBHOOK_CALL_REPEATED",
    ]);
  });

  it("is recognized for as long as its timestamp is valid, also if that is in the future", async () => {
    const webhook = start();
    const event = webhookCall(body, { keys: [KEY], at: webhook.now() + 299_000 });
    await webhook.call(event);

    webhook.pass(590_000);
    const late = await webhook.call(event);
    webhook.pass(15_000);
    const tooLate = await webhook.call(event);

    expect([late.statusCode, tooLate.statusCode]).toEqual([202, 400]);
    expect(webhook.invoked).toHaveLength(1);
  });

  it.each([
    { it: "the last whole second", sentAfterMs: 0, passMs: 300_000, statusCode: 202 },
    { it: "the millisecond after it", sentAfterMs: 0, passMs: 300_001, statusCode: 202 },
    { it: "its last millisecond", sentAfterMs: 0, passMs: 300_999, statusCode: 202 },
    { it: "the first millisecond after its window", sentAfterMs: 0, passMs: 301_000, statusCode: 400 },
    {
      it: "the last millisecond of the second in which it was sent",
      sentAfterMs: 999,
      passMs: 300_000,
      statusCode: 202,
    },
  ])("is not processed again in $it", async ({ sentAfterMs, passMs, statusCode }) => {
    const webhook = start();
    webhook.pass(600); // to a whole second
    const event = webhookCall(body, { keys: [KEY], at: webhook.now() });
    webhook.pass(sentAfterMs);
    await webhook.call(event);

    webhook.pass(passMs);
    const again = [await webhook.call(event), await webhook.call(event)];

    expect(again.map((answer) => answer.statusCode)).toEqual([statusCode, statusCode]);
    expect(webhook.invoked).toHaveLength(1);
  });

  it("is not processed again if its window ends while the signing keys are read", async () => {
    let keyReadMs = 0;
    const webhook: TestWebhook = startWebhook({
      keys: () => {
        webhook.pass(keyReadMs);
        return [KEY];
      },
    });
    const event = webhookCall(body, { keys: [KEY], at: webhook.now() });
    await webhook.call(event);
    webhook.pass(300_500);
    keyReadMs = 2_000;

    const late = await webhook.call(event);

    expect(webhook.keyReads()).toBe(2);
    expect(late.statusCode).toBe(202);
    expect(webhook.invoked).toHaveLength(1);
  });

  it("is recognized after any number of other calls in its window", () => {
    const sentAt = Date.UTC(2026, 10, 25, 3, 0, 0);
    const longestMs = (2 * WINDOW_SECONDS + 1) * 1_000; // its timestamp can be in the future
    let now = sentAt;
    const allowance = rateLimiter(CALLS_PER_MINUTE_MAX, () => now);
    let letIn = 0;
    for (; now < sentAt + longestMs; now += 50) while (allowance.take() === 0) letIn += 1;

    expect(letIn).toBeGreaterThan(10_000);
    expect(letIn).toBeLessThanOrEqual(CALLS_MAX);
  });

  it("is a new call if its sender signs it again, so that a sender with one id for all calls loses none", async () => {
    const webhook = start();
    await webhook.call(webhookCall(body, { id: "always-the-same", keys: [KEY], at: webhook.now() }));
    webhook.pass(1_000);
    await webhook.call(webhookCall(body, { id: "always-the-same", keys: [KEY], at: webhook.now() }));

    expect(webhook.invoked).toHaveLength(2);
  });
});

describe("too many calls", () => {
  const body = { webhookId: "shop-db" };
  const good = (webhook: ReturnType<typeof start>) =>
    webhook.call(webhookCall(body, { keys: [KEY], at: webhook.now() }));
  const forged = (webhook: ReturnType<typeof start>) =>
    webhook.call(webhookCall(body, { keys: [OTHER_KEY], at: webhook.now() }));

  it("get a Retry-After, and are accepted after that time", async () => {
    const webhook = start(2);
    const first = [await good(webhook), await good(webhook), await good(webhook)];
    webhook.pass(30_000);
    const later = [await good(webhook), await good(webhook)];

    expect(first.map(({ statusCode }) => statusCode)).toEqual([202, 202, 429]);
    expect(first[2]?.headers["retry-after"]).toBe("30");
    expect(later.map(({ statusCode }) => statusCode)).toEqual([202, 429]);
    expect(webhook.invoked).toHaveLength(3);
    expect(webhook.metrics.filter(({ name }) => name === "WebhookCallsHeldOff")).toHaveLength(2);
  });

  it("with wrong signatures do not block valid callers, and do not fill the log", async () => {
    const webhook = start(3);
    const answers = [];
    for (let call = 0; call < 10; call += 1) answers.push((await forged(webhook)).statusCode);

    expect(answers).toEqual([401, 401, 401, ...Array(7).fill(429)]);
    expect(webhook.logs).toHaveLength(3);
    expect((await good(webhook)).statusCode).toBe(202);
  });
});
