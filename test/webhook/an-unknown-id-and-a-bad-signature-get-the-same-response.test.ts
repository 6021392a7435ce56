import { describe, expect, it } from "vitest";
import { startWebhook } from "./start-webhook.ts";
import { newKey, webhookCall } from "./webhook-call.ts";

const KEY = newKey();
const BOUND = [{ secretId: "prod/db" }, { webhookId: "shop-db" }];
const UNKNOWN = [{ secretId: "prod/other" }, { webhookId: "other" }];

const forged = BOUND.map((body) => ({
  it: `a forged call for ${JSON.stringify(body)}`,
  body,
  key: newKey(),
}));
const both = UNKNOWN.map((body) => ({
  it: `a forged call for ${JSON.stringify(body)}`,
  body,
  key: newKey(),
}));
const unknown = UNKNOWN.map((body) => ({ it: `a signed call for ${JSON.stringify(body)}`, body, key: KEY }));

describe.each([...forged, ...both, ...unknown])("$it", ({ body, key }) => {
  const refuse = async (times: number) => {
    const webhook = startWebhook({ keys: () => [KEY], callsPerMinute: 2 });
    const answers = [];
    for (let call = 0; call < times; call += 1) {
      answers.push(await webhook.call(webhookCall(body, { keys: [key], at: webhook.now() })));
      webhook.pass(61_000); // each may renew the keys
    }
    return { webhook, answers };
  };

  it("gets a 401 with exactly these headers and this body", async () => {
    const { answers } = await refuse(1);

    expect(answers).toEqual([
      {
        statusCode: 401,
        headers: { "content-type": "application/json", "cache-control": "no-store" },
        body: '{"code":"CALL_REFUSED","message":"The signature or the id is unknown. The log of the webhook function shows which one."}',
      },
    ]);
  });

  it("causes the same work: the keys are read again, at most once a minute", async () => {
    const { webhook } = await refuse(3);

    expect(webhook.keyReads()).toBe(3); // one for the first call, and one for each later call
    expect(webhook.invoked).toEqual([]);
  });

  it("is distinguished only in the log, by its webhook-id", async () => {
    const { webhook } = await refuse(1);

    expect(webhook.logs).toEqual([
      {
        code: "WEBHOOK_CALL_REFUSED",
        fields: {
          code: key === KEY ? "ID_NOT_BOUND" : "SIGNATURE_UNKNOWN",
          advice: expect.any(String),
          eventId: expect.stringMatching(/^msg_/),
        },
      },
    ]);
    expect(JSON.stringify(webhook.logs)).not.toContain("prod/");
  });

  it("counts towards the same rate limit", async () => {
    const webhook = startWebhook({ keys: () => [KEY], callsPerMinute: 1 });
    const call = () => webhook.call(webhookCall(body, { keys: [key], at: webhook.now() }));

    expect([(await call()).statusCode, (await call()).statusCode]).toEqual([401, 429]);
  });
});

it("no id is unknown while a cluster is in trigger mode, because an ExternalSecret there can use it", async () => {
  const webhook = startWebhook({ keys: () => [KEY], triggers: true });
  const call = (body: object, key: string) =>
    webhook.call(webhookCall(body, { keys: [key], at: webhook.now() }));

  for (const body of UNKNOWN) expect((await call(body, KEY)).statusCode).toBe(202);
  expect((await call(UNKNOWN[0] ?? {}, newKey())).statusCode).toBe(401);
  expect(webhook.invoked).toEqual(UNKNOWN);
});
