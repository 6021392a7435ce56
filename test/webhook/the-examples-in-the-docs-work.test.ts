import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REFUSALS } from "../../functions/webhook/refusals.ts";
import { blocksOf, pageOf } from "../docs/markdown.ts";
import { findTraces } from "../harness/canary.ts";
import { startWebhook, type TestWebhook } from "./start-webhook.ts";
import { newKey } from "./webhook-call.ts";

// The calls in docs/webhook.md, run unchanged: over HTTP, to the function behind what a Function URL
// makes of a request.

const KEY = newKey();
const page = pageOf("docs/webhook.md");
let webhook: TestWebhook;
let server: Server;

beforeEach(async () => {
  webhook = startWebhook({ keys: () => [KEY] });
  webhook.pass(Date.now() - webhook.now());
  server = createServer(async (request, response) => {
    const { statusCode, headers, body } = await webhook.call(await toEvent(request));
    response.writeHead(statusCode, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => server.close());

describe("the call with a shell", () => {
  const [block = ""] = blocksOf(page, "bash");
  const command = ["bash", "-euo", "pipefail", "-c"];

  it("is accepted", async () => {
    const { exitCode, printed } = await run(command, block, KEY);

    expect(printed).toContain('{"code":"ACCEPTED"}');
    expect(exitCode).toBe(0);
    expect(webhook.invoked).toEqual([{ webhookId: "shop-db" }]);
    expect(findTraces(printed)).toEqual([]);
  });

  it("fails with another key, and reports it", async () => {
    const { exitCode, printed } = await run(command, block, newKey());

    expect(printed).toContain('"code":"CALL_REFUSED"');
    expect(exitCode).not.toBe(0);
    expect(webhook.invoked).toEqual([]);
    expect(webhook.logs.map(({ fields }) => fields.code)).toEqual(["SIGNATURE_UNKNOWN"]);
  });
});

it("the page lists every code, with its status and message", () => {
  const [, table = ""] = /<!-- refusal codes -->\n(.*?)<!-- end -->/s.exec(page.text) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("|`"));

  expect(rows).toEqual(
    Object.entries(REFUSALS).map(
      ([code, { status, advice }]) => `|\`${code}\`|${status}|${advice.replaceAll("<", "&lt;")}|`,
    ),
  );
});

it.each(blocksOf(page, "json"))("the webhook accepts the body %s", async (body) => {
  const { exitCode } = await run(
    ["bash", "-euo", "pipefail", "-c"],
    (blocksOf(page, "bash")[0] ?? "").replace(/^body=.*$/m, `body='${body.trim()}'`),
    KEY,
  );

  expect(exitCode).toBe(0);
  expect(webhook.invoked).toEqual([JSON.parse(body)]);
});

/** As Lambda does it, payload format 2.0. */
async function toEvent(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    version: "2.0",
    headers: request.headers,
    requestContext: { http: { method: request.method } },
    body: Buffer.concat(chunks).toString("utf8"),
    isBase64Encoded: false,
  };
}

async function run([program = "", ...args]: string[], script: string, key: string) {
  const child = spawn(program, [...args, script], {
    env: {
      PATH: process.env.PATH,
      WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      WEBHOOK_KEY: key,
    },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const [exitCode] = await once(child, "close");
  return { exitCode, printed };
}
