import { randomUUID } from "node:crypto";
import type { SQSBatchResponse } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { InputRefused } from "../../functions/rotation/settle.ts";
import { sample } from "../events/samples.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { invokeWithin, useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

const inSqs = (messageId: string, body: unknown) => ({
  messageId,
  receiptHandle: "AQEBexample",
  body: JSON.stringify(body),
  attributes: {},
  messageAttributes: {},
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:eu-west-1:111122223333:relay-events",
  awsRegion: "eu-west-1",
});
const inSns = (event: unknown) => ({
  Records: [
    {
      EventSource: "aws:sns",
      EventVersion: "1.0",
      Sns: {
        Type: "Notification",
        MessageId: randomUUID(),
        TopicArn: "arn:aws:sns:eu-west-1:111122223333:relay-events",
        Message: JSON.stringify(event),
      },
    },
  ],
});

const expectNoCall = () => {
  expect(struck.sandbox.aws.counters.callsTotal).toBe(0);
  expect(struck.sandbox.kubernetes.requests.total).toBe(0);
};
const forgetCalls = () => {
  struck.sandbox.aws.counters.reset();
  struck.sandbox.kubernetes.requests.reset();
};

describe("a queue", () => {
  it.each([
    { by: "Lambda", deliver: (records: object[]): unknown => ({ Records: records }) },
    { by: "EventBridge Pipes", deliver: (records: object[]): unknown => records },
  ])("by $by gets back only the message that failed, and the others are written", async ({ deliver }) => {
    const [fine, broken] = [await struck.createSource("fine"), await struck.createSource("broken")];
    const relay = await startRelay(struck.backend, {
      bindings: [struck.bindTo(fine), struck.bindTo(broken, "other")],
    });
    struck.sandbox.aws.faults.add({ kind: "serverError", match: { secret: broken.name } });
    const Records = [
      inSqs("fine", labelUpdated(struck.backend, fine)),
      inSqs("broken", labelUpdated(struck.backend, broken)),
      inSqs("foreign", { source: "aws.s3", detail: {} }),
      inSqs("again", { secretId: fine.name }),
    ];

    const answer: unknown = await relay.invoke(deliver(Records));

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "broken" }] } satisfies SQSBatchResponse);
    expect(await struck.scene.readData("db")).toEqual({ password: "fine" });
    expect(await struck.scene.readData("other")).toBeUndefined();
  });

  it("delivers the same event twice, and the Secret is written once", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    const event = labelUpdated(struck.backend, source);

    const answer: unknown = await relay.invoke({ Records: [inSqs("one", event), inSqs("two", event)] });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(struck.sandbox.kubernetes.history(struck.scene.namespace, "db")).toHaveLength(1);
  });
});

describe("a pipe that takes events out of their messages", () => {
  const prepare = async () => {
    const [fine, broken] = [await struck.createSource("fine"), await struck.createSource("broken")];
    const bindings = [struck.bindTo(fine), struck.bindTo(broken, "other")];
    const relay = await startRelay(struck.backend, { bindings });
    return { relay, broken, list: [fine, broken].map((source) => labelUpdated(struck.backend, source)) };
  };

  it("delivers a list of events, and each is written", async () => {
    const { relay, list } = await prepare();

    await relay.invoke(list);

    expect(await struck.scene.readData("db")).toEqual({ password: "fine" });
    expect(await struck.scene.readData("other")).toEqual({ password: "broken" });
  });

  it("delivers the list again if one event failed, and the others are written", async () => {
    const { relay, list, broken } = await prepare();
    struck.sandbox.aws.faults.add({ kind: "serverError", match: { secret: broken.name } });

    await expect(relay.invoke(list)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

    expect(await struck.scene.readData("db")).toEqual({ password: "fine" });
  });
});

describe("a topic", () => {
  it("delivers an event, directly and through a queue", async () => {
    const source = await struck.createSource("first");
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });

    await relay.invoke(inSns(labelUpdated(struck.backend, source)));
    const before = await struck.scene.readData("db");
    const rotated = await struck.rotate(source, "second");
    const { Sns } = inSns(labelUpdated(struck.backend, rotated)).Records[0] ?? {};
    await relay.invoke({ Records: [inSqs("one", Sns)] });

    expect(before).toEqual({ password: "first" });
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });
});

describe("a direct call", () => {
  it("with the name or ARN of a secret returns the outcome of each target", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });

    const byName = await relay.invoke({ secretId: source.name });
    const byArn = await relay.invoke({ secretId: source.arn, versionId: source.versionId });

    expect(byName.targets).toMatchObject([{ outcome: "written", versionId: source.versionId }]);
    expect(byArn.targets).toMatchObject([{ outcome: "unchanged" }]);
  });

  it("with the input of a rotation function fails with advice, and nothing is written", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    forgetCalls();
    const input = { Step: "finishSecret", SecretId: source.arn, ClientRequestToken: source.versionId };

    const { error } = await invokeWithin(relay, struck, input, 15_000);

    expect(error).toBeInstanceOf(InputRefused);
    expect(error).toMatchObject({ code: "ROTATION_FUNCTION_INPUT", retryable: false });
    expect(relay.metrics).toContainEqual({
      name: "EventsRejected",
      value: 1,
      code: "ROTATION_FUNCTION_INPUT",
    });
    expectNoCall();
  });
});

describe("a rotation that failed", () => {
  it.each([
    ["rotation-failed.json", "ROTATION_FAILED"],
    ["rotation-abandoned.json", "ROTATION_ABANDONED"],
  ])("(%s) is logged and counted when a binding uses the source", async (file, code) => {
    const relay = await startRelay(struck.backend, {
      bindings: [{ source: "prod/db", targets: [{ namespace: struck.scene.namespace, name: "db" }] }],
    });
    forgetCalls();

    await relay.invoke(sample(file));

    expect(relay.logs.map((log) => log.code)).toEqual([code]);
    expect(relay.logs[0]?.fields.source).toContain("prod/db");
    expect(relay.metrics).toEqual([{ name: "RotationsFailed", value: 1 }]);
    expectNoCall();
  });

  it("is not counted when no binding uses the source", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });

    await relay.invoke(sample("rotation-failed.json"));

    expect(relay.metrics).toEqual([]);
  });
});

describe("an event that is not for the relay", () => {
  it("because no binding uses its source makes no call to AWS or a cluster", async () => {
    const source = await struck.createSource();
    const unbound = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    forgetCalls();

    const { targets } = await relay.invoke(labelUpdated(struck.backend, unbound));

    expect(targets).toEqual([]);
    expect(relay.logs.map(({ code }) => code)).toEqual(["SOURCE_NOT_BOUND"]);
    expectNoCall();
  });

  it.each(["ignored/put-secret-value-pending.json", "rejected/foreign-event.json"])(
    "(%s) makes no call either",
    async (file) => {
      const source = await struck.createSource();
      const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
      forgetCalls();

      await relay.invoke(sample(file));

      expectNoCall();
    },
  );
});
