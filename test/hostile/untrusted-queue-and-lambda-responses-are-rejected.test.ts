import { LambdaClient } from "@aws-sdk/client-lambda";
import { describe, expect, it, vi } from "vitest";
import { openAwsSession } from "../../cli/live/aws-session.ts";
import { invokeFunction } from "../../cli/live/invoke-function.ts";
import { readStackOutputs } from "../../cli/live/stack.ts";
import { openQueue, sendMessage } from "../../cli/redrive/queue-messages.ts";
import { webhookDependencies } from "../../functions/webhook/dependencies.ts";
import { invokeRotationWith } from "../../functions/webhook/invoke-rotation.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { sendShardsTo } from "../../shared/sweep/send-shards.ts";
import type { Shard } from "../../shared/sweep/shard.ts";
import { anIdentity } from "../cluster/factories.ts";
import { failureOf } from "./hostile-cluster.ts";
import { answer, forever, headOf, type Misbehaviour, useHostileServers } from "./hostile-server.ts";

const { start } = useHostileServers({ tls: false });

function asAwsOf(service: string, url: string): void {
  const { accessKeyId, secretAccessKey } = anIdentity();
  vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
}

const MEGABYTE = Buffer.alloc(1024 * 1024, " ");
/** More than a client keeps (8 MiB) and what fits into the sockets between, on the way when it hangs up. */
const TAKEN_BYTES_MAX = 32 * 1024 * 1024;

describe("the work queue", () => {
  const shard = { items: [{ n: 1 }, { n: 2 }] } as unknown as Shard;
  const send = (url: string) => {
    asAwsOf("SQS", url);
    return failureOf(sendShardsTo(`${url}/111122223333/shards`, () => {})([shard]));
  };

  it.each<{ it: string; body: unknown; status?: number }>([
    { it: "lists no accepted message", body: {} },
    { it: "lists another message", body: { Successful: [{ Id: "7", MD5OfMessageBody: "x" }] } },
    { it: "accepted another body", body: { Successful: [{ Id: "0", MD5OfMessageBody: "0".repeat(32) }] } },
    { it: "gives nothing", body: "" },
    { it: "gives null", body: "null" },
    { it: "gives a list", body: [] },
    { it: "gives a web page", body: "<html>" },
    { it: "redirects", body: "", status: 307 },
  ])("that $it makes the sweep fail, because a shard is lost", async ({ body, status = 200 }) => {
    const elsewhere = await start(answer({}));
    const server = await start(answer(body, { status, headers: { location: elsewhere.url } }));
    expect(await send(server.url)).toMatchObject({ code: "SHARDS_NOT_SENT", retryable: true });
    expect(elsewhere.requests).toEqual([]);
  });

  it("with an endless response is closed after 8 MiB", async () => {
    const server = await start(forever(MEGABYTE));
    expect(await send(server.url)).toMatchObject({ code: "SHARDS_NOT_SENT" });
    expect(server.sentBytes()).toBeLessThan(TAKEN_BYTES_MAX * server.requests.length);
  });
});

describe("Lambda, when the webhook invokes the rotation function,", () => {
  const invoke = async (misbehave: Misbehaviour, options = {}) => {
    const server = await start(misbehave, options);
    asAwsOf("LAMBDA", server.url);
    const client = new LambdaClient({ maxAttempts: 1, ...boundedRequests({ requestMs: 500 }) });
    const call = invokeRotationWith(client, "arn:aws:lambda:eu-west-1:111122223333:function:rotation");
    const failure = await failureOf(call({ secretId: "prod/db" } as never, startTimeBudget(5_000)));
    client.destroy();
    return { failure, server };
  };

  it.each<{ it: string; misbehave: Misbehaviour }>([
    { it: "answers 200", misbehave: answer("") },
    { it: "redirects", misbehave: answer("", { status: 307, headers: { location: "http://127.0.0.1:9/" } }) },
    { it: "never ends", misbehave: forever(MEGABYTE, 0, headOf(202, {})) },
    { it: "responds byte by byte", misbehave: forever(" ", 20, headOf(202, {})) },
    { it: "is silent", misbehave: () => {} },
    { it: "breaks off", misbehave: (socket) => socket.destroy() },
  ])("has not accepted the call if it $it", async ({ misbehave }) => {
    const { failure, server } = await invoke(misbehave);
    expect(failure).toMatchObject({ code: "ROTATION_NOT_INVOKED", retryable: true });
    expect(server.sentBytes()).toBeLessThan(TAKEN_BYTES_MAX);
  });

  it("gets no call without a trusted certificate, in the wiring of the function", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const server = await start(answer("", { status: 202 }), { tls: true });
    asAwsOf("LAMBDA", server.url);
    const { invokeRotation } = await webhookDependencies(
      {
        BINDINGS_FILE: "bindings.yaml",
        WEBHOOK_KEY_SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keys-AbCdEf",
        ROTATION_FUNCTION_ARN: "arn:aws:lambda:eu-west-1:111122223333:function:rotation",
      },
      { log: () => {}, measure: () => {} } as never,
    );
    expect(
      await failureOf(invokeRotation({ secretId: "prod/db" } as never, startTimeBudget(5_000))),
    ).toMatchObject({
      code: "ROTATION_NOT_INVOKED",
    });
    expect(server.requests).toEqual([]);
  });
});

describe("the command line", () => {
  const IDENTITY =
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/me</Arn><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
  const openSession = async () => {
    const sts = await start(answer(IDENTITY, { headers: { "content-type": "text/xml" } }));
    asAwsOf("STS", sts.url);
    return openAwsSession({ region: "eu-west-1" });
  };

  it("does not call STS without a trusted certificate", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const server = await start(answer(IDENTITY), { tls: true });
    asAwsOf("STS", server.url);
    expect(await failureOf(openAwsSession({ region: "eu-west-1" }))).toMatchObject({
      code: "AWS_UNREACHABLE",
    });
    expect(server.requests).toEqual([]);
  });

  it.each(["LAMBDA", "CLOUDFORMATION", "SQS"])("signs no request for an untrusted %s", async (service) => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const aws = await openSession();
    const server = await start(answer({}), { tls: true });
    asAwsOf(service, server.url);
    const calls: Record<string, () => Promise<unknown>> = {
      LAMBDA: () => invokeFunction(aws, "rotation", {}, 2_000),
      CLOUDFORMATION: () => readStackOutputs(aws, "secret-relay"),
      SQS: () => sendMessage(aws, `${server.url}/111122223333/failures`, "{}"),
    };
    expect(await failureOf(calls[service]?.() as Promise<unknown>)).toMatchObject({
      code: "AWS_UNREACHABLE",
    });
    expect(server.requests).toEqual([]);
  });

  it("does not buffer an endless response", async () => {
    const aws = await openSession();
    const server = await start(forever(MEGABYTE));
    asAwsOf("LAMBDA", server.url);
    expect(await failureOf(invokeFunction(aws, "rotation", {}, 20_000))).toMatchObject({
      code: "AWS_CALL_FAILED",
    });
    expect(server.sentBytes()).toBeLessThan(TAKEN_BYTES_MAX * server.requests.length);
  });

  it.each([
    { it: "no body", message: { MessageId: "1", ReceiptHandle: "r" } },
    {
      it: "a changed body",
      message: { MessageId: "1", ReceiptHandle: "r", Body: "{}", MD5OfBody: "0".repeat(32) },
    },
  ])("replays no message with $it", async ({ message }) => {
    const aws = await openSession();
    const server = await start(answer({ Messages: [message] }));
    asAwsOf("SQS", server.url);
    const queue = openQueue(aws, `${server.url}/111122223333/failures`);
    expect(await failureOf(queue.receive())).toMatchObject({ code: "AWS_CALL_FAILED" });
    queue.close();
  });

  it("counts a message as moved only if SQS confirms its exact body", async () => {
    const aws = await openSession();
    const server = await start(answer({}));
    asAwsOf("SQS", server.url);
    expect(await failureOf(sendMessage(aws, `${server.url}/111122223333/failures`, "{}"))).toMatchObject({
      code: "AWS_CALL_FAILED",
    });
  });
});
