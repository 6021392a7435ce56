import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRequest } from "../../functions/webhook/read-request.ts";
import { MARK } from "../harness/canary.ts";
import { runs } from "../harness/property-runs.ts";
import { startWebhook } from "./start-webhook.ts";
import { newKey, sign, webhookCall } from "./webhook-call.ts";

const KEY = newKey();
const OTHER_KEY = newKey();
const NOW = startWebhook({ keys: () => [KEY] }).now();
const start = () => startWebhook({ keys: () => [KEY], callsPerMinute: 1_000 });

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("v1,", "v1,AAAA", "msg_1", "1795575600", "application/json", ",", " ", "\n", "__proto__"),
);
const anyHeaders = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      ...["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "Webhook-Id", "__proto__"],
    ),
    fc.string(),
  ),
  fc.oneof(anyText, fc.anything()),
);
/** Objects with the fields of a call and any values in them. */
const anyEvent = fc.record(
  {
    version: fc.oneof(fc.constant("2.0"), fc.anything()),
    headers: fc.oneof(anyHeaders, fc.anything()),
    requestContext: fc.oneof(
      fc.record({ http: fc.record({ method: fc.oneof(fc.constant("POST"), fc.anything()) }) }),
      fc.anything(),
    ),
    body: fc.oneof(fc.json(), anyText, fc.anything()),
    isBase64Encoded: fc.oneof(fc.boolean(), fc.anything()),
  },
  { requiredKeys: [] },
);

it("any input gets a 4xx, and invokes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything({ withNullPrototype: true }), anyEvent), async (event) => {
      const webhook = start();

      const { statusCode, body } = await webhook.call(event);

      expect(statusCode).toBeGreaterThanOrEqual(400);
      expect(statusCode).toBeLessThan(500);
      expect(Object.keys(JSON.parse(body))).toEqual(["code", "message"]);
      expect(webhook.invoked).toEqual([]);
    }),
    { numRuns: runs(100) },
  );
});

it("any signed body gets a 202 or a 4xx without a quote, and only ids are passed on", async () => {
  const anyValue = fc.oneof(fc.constantFrom("prod/db", "shop-db"), fc.constant(MARK), fc.jsonValue());
  const anyBody = fc.oneof(
    fc.json(),
    fc.string({ unit: "grapheme" }),
    fc
      .dictionary(fc.constantFrom("secretId", "webhookId", "versionId", "data", "type", "value"), anyValue)
      .map((body) => JSON.stringify(body)),
    fc
      .record({ type: anyValue, data: fc.record({ webhookId: anyValue }) })
      .map((body) => JSON.stringify(body)),
  );
  await fc.assert(
    fc.asyncProperty(anyBody, fc.boolean(), async (body, isBase64Encoded) => {
      const webhook = start();
      const isBound = (call: object) =>
        ["prod/db", "shop-db"].includes(String(Object.values(call)[0])) && Object.keys(call).length <= 2;

      const { statusCode } = await webhook.call(webhookCall(body, { keys: [KEY], at: NOW, isBase64Encoded }));

      expect([202, 400, 401, 413]).toContain(statusCode);
      expect(webhook.invoked).toHaveLength(statusCode === 202 ? 1 : 0);
      for (const call of webhook.invoked) expect(isBound(call)).toBe(true);
    }),
    {
      numRuns: runs(100),
      examples: [
        ['{"webhookId":"shop-db"}', true],
        ['{"secretId":"prod/db"}', false],
      ],
    },
  );
});

it("a call with one changed character after signing is never accepted", async () => {
  const body = '{"secretId":"prod/db"}';
  const places = fc.constantFrom("webhook-id", "webhook-timestamp", "webhook-signature", "body");
  await fc.assert(
    fc.asyncProperty(places, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), async (place, at, put) => {
      const webhook = start();
      const event = webhookCall(body, { keys: [KEY], at: NOW });
      const was = place === "body" ? event.body : String(event.headers[place]);
      const index = at % was.length;
      const changed = was.slice(0, index) + put + was.slice(index + 1);
      fc.pre(changed !== was);
      // The last digit of base64 has two unused bits; a comparison of strings does not ignore them.
      const forged =
        place === "body"
          ? { ...event, body: changed }
          : { ...event, headers: { ...event.headers, [place]: changed } };

      const { statusCode } = await webhook.call(forged);

      expect([400, 401]).toContain(statusCode);
      expect(webhook.invoked).toEqual([]);
    }),
    { numRuns: runs(60) },
  );
});

describe("id, timestamp and body", () => {
  it("cannot be split differently under the same signature", async () => {
    const texts = fc.string({ unit: fc.constantFrom(..."ab1.{}\"':"), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (id, rest) => {
        const signed = `${id}.${Math.floor(NOW / 1_000)}.${rest}`;
        // Every way to split that string into an id, a timestamp and a body.
        const ways = [...signed.matchAll(/\./g)].flatMap((first) =>
          [...signed.matchAll(/\./g)].flatMap((second) =>
            first.index < second.index
              ? [
                  [
                    signed.slice(0, first.index),
                    signed.slice(first.index + 1, second.index),
                    signed.slice(second.index + 1),
                  ],
                ]
              : [],
          ),
        );
        const taken = ways.filter(([otherId = "", timestamp = "", body = ""]) => {
          const headers = {
            "webhook-id": otherId,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(OTHER_KEY, otherId, timestamp, body),
          };
          return !("refusal" in readRequest(webhookCall(body, { headers, at: NOW }), NOW));
        });

        expect(taken.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: runs(100) },
    );
  });
});
