import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LASTING, mixDrifts, REPAIRABLE } from "../harness/drifts.ts";
import { expectedFindings, type Fleet } from "../harness/fleet.ts";
import { runs } from "../harness/property-runs.ts";
import type { TestSweeper } from "../harness/relay.ts";
import { METADATA, sweeperOf, useSweepScene } from "./sweep-scene.ts";

const scene = useSweepScene();
let queueUrl: string;
let sqs: SQSClient;
let queues = 0;

beforeAll(() => {
  sqs = new SQSClient({});
});
afterAll(() => sqs.destroy());
beforeEach(async () => {
  queues += 1;
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `shards-${queues}` }));
  queueUrl = QueueUrl;
});

const envOf = () => ({
  WORK_QUEUE_URL: queueUrl,
  SHARD_BINDINGS_MAX: "50", // the minimum
  DELETIONS_SHARE_MAX_PERCENT: "50", // it is a share of each shard, and here all drift is in the last ones
});

/** 300 in `npm test`. Drift is in the last 100, whatever the size. */
const SIZE = Math.min(runs(300), 600);

const openDrifted = async (size = SIZE) => {
  const fleet = await scene.openFleet({
    size,
    perNamespace: 70,
    drifts: mixDrifts([...REPAIRABLE, ...LASTING], 100),
  });
  await fleet.drift();
  return fleet;
};

const receive = async (): Promise<Message[]> => {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
  );
  return Messages;
};

/** Like Lambda's event source mapping: deletes every message that the function does not report as failed. */
const invokeWith = async (sweeper: TestSweeper, messages: readonly Message[]): Promise<string[]> => {
  const Records = messages.map(({ MessageId, Body }) => ({ messageId: MessageId, body: Body }));
  const { batchItemFailures } = (await sweeper.sweep({ Records })) as unknown as SQSBatchResponse;
  const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  for (const { MessageId = "", ReceiptHandle } of messages) {
    if (failed.includes(MessageId)) continue;
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  }
  return failed;
};

const consumeAll = async (sweeper: TestSweeper): Promise<Message[]> => {
  const consumed: Message[] = [];
  for (let messages = await receive(); messages.length > 0; messages = await receive()) {
    expect(await invokeWith(sweeper, messages)).toEqual([]);
    consumed.push(...messages);
  }
  return consumed;
};

const total = ({ metrics }: TestSweeper, wanted: string) =>
  metrics.filter(({ name }) => name === wanted).reduce((sum, { value }) => sum + value, 0);

const foundIn = ({ logs }: TestSweeper) =>
  logs
    .flatMap(({ code, fields: { finding, target = "", action } }) =>
      code === "DRIFT_FOUND" ? [`${target.slice(target.lastIndexOf("/") + 1)}: ${finding}, ${action}`] : [],
    )
    .sort();

const boundIn = ({ members }: Fleet) => members.filter(({ drift }) => !drift?.isUnbound);

const versionsOf = (fleet: Fleet) =>
  Promise.all(
    fleet.members.map(async (member) => (await fleet.readSecret(member))?.metadata.resourceVersion),
  );

describe("a sweep that is too large for one invocation", () => {
  it("is split into shards: each binding is checked once, each drift found once, and the counts add up", async () => {
    const fleet = await openDrifted();
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    scene.sandbox.aws.counters.reset();

    const report = await sweeper.sweep(METADATA);
    expect(report).toMatchObject({ bindings: 0, checked: 0 });
    expect(report.shardsQueued).toBeGreaterThanOrEqual(SIZE / 50);
    expect(report.calls.aws).toBe(scene.sandbox.aws.counters.callsTotal);
    const shards = await consumeAll(sweeper);

    expect(shards).toHaveLength(report.shardsQueued);
    expect(total(sweeper, "SweepBindingsChecked")).toBe(boundIn(fleet).length);
    expect(total(sweeper, "SweepBindingsUnknown")).toBe(0);
    expect(foundIn(sweeper)).toEqual(expectedFindings(fleet));
    expect(total(sweeper, "SweepShardsPlanned")).toBe(report.shardsQueued);
    expect(total(sweeper, "SweepShardsCompleted")).toBe(report.shardsQueued);
    expect(scene.sandbox.aws.counters.callsOf("ListSecrets")).toBeLessThanOrEqual(8); // listed once, not once a shard
  });

  it("runs as a plan in one invocation, so that its report is complete", async () => {
    const fleet = await openDrifted();
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    const report = await sweeper.sweep({ ...METADATA, plan: true });
    expect(report).toMatchObject({ shardsQueued: 0, checked: boundIn(fleet).length });
    expect(await receive()).toEqual([]);
  });

  it("tolerates repeated shards", async () => {
    const fleet = await openDrifted();
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    await sweeper.sweep(METADATA);
    const shards = await consumeAll(sweeper);
    const before = await versionsOf(fleet);

    const again = await sweeperOf(fleet, { env: envOf() });
    await again.sweep({
      Records: shards.map(({ MessageId, Body }) => ({ messageId: MessageId, body: Body })),
    });

    expect(foundIn(again)).toEqual(expectedFindings(fleet, (drift) => drift.again));
    expect(await versionsOf(fleet)).toEqual(before);
  });

  it("tolerates late shards, after their sources have changed", async () => {
    const fleet = await scene.openFleet({
      size: 120,
      perNamespace: 70,
      drifts: mixDrifts(REPAIRABLE.slice(0, 1), 100),
    });
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    await sweeper.sweep(METADATA);
    const late = await receive();
    await fleet.drift();
    await (await sweeperOf(fleet)).sweep(METADATA);
    const before = await versionsOf(fleet);

    const sweeperOfLate = await sweeperOf(fleet, { env: envOf() });
    expect(await invokeWith(sweeperOfLate, late)).toEqual([]);

    expect(foundIn(sweeperOfLate)).toEqual([]);
    expect(await versionsOf(fleet)).toEqual(before);
  });
});

describe("a shard", () => {
  it("without enough time hands its bindings over, and they are checked once", async () => {
    const fleet = await openDrifted(300);
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    const { shardsQueued } = await sweeper.sweep(METADATA);
    const hurried = await sweeperOf(fleet, { env: envOf(), remainingMs: 19_000 });
    expect(await invokeWith(hurried, await receive())).toEqual([]);
    expect(total(hurried, "SweepBindingsChecked")).toBe(0);

    await consumeAll(sweeper);

    expect(total(sweeper, "SweepBindingsChecked")).toBe(boundIn(fleet).length);
    expect(foundIn(sweeper)).toEqual(expectedFindings(fleet));
    const planned = total(sweeper, "SweepShardsPlanned") + total(hurried, "SweepShardsPlanned");
    const completed = total(sweeper, "SweepShardsCompleted") + total(hurried, "SweepShardsCompleted");
    expect(completed).toBe(planned);
    expect(planned).toBeGreaterThan(shardsQueued);
  });

  it("that could not be handed over is retried", async () => {
    const fleet = await scene.openFleet({ size: 120 });
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    await sweeper.sweep(METADATA);
    const hurried = await sweeperOf(fleet, { env: envOf(), remainingMs: 19_000 });
    const messages = await receive();
    scene.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: "SendMessageBatch" } });
    expect(await invokeWith(hurried, messages)).toEqual(messages.map(({ MessageId }) => MessageId));
  });

  it("that is not valid is returned, and stops no other", async () => {
    const fleet = await scene.openFleet({ size: 120 });
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    await sweeper.sweep(METADATA);
    const [first, ...others] = await receive();
    if (first === undefined) throw new Error("No such shard");

    const failed = await invokeWith(sweeper, [{ ...first, Body: "?" }, ...others]);

    expect(failed).toEqual([first.MessageId]);
    expect(sweeper.logs.map(({ code }) => code)).toContain("MESSAGE_REJECTED");
    expect(total(sweeper, "SweepBindingsChecked")).toBe(120 - 50);
  });

  it("that hits a bug is returned, and stops no other", async () => {
    const fleet = await scene.openFleet({ size: 120 });
    let isFirst = true;
    const sweeper = await sweeperOf(fleet, {
      env: envOf(),
      override: (real) => ({
        connect: (cluster) => {
          if (!isFirst) return real.connect(cluster);
          isFirst = false;
          throw new TypeError("a bug");
        },
      }),
    });
    await sweeper.sweep(METADATA);
    const messages = await receive();
    expect(await invokeWith(sweeper, messages)).toEqual([messages[0]?.MessageId]);
    expect(total(sweeper, "SweepBindingsChecked")).toBe(120 - 50);
  });

  it("of a cluster that is down reports it, and counts as incomplete", async () => {
    const fleet = await scene.openFleet({ size: 60 });
    const sweeper = await sweeperOf(fleet, { env: envOf() });
    await sweeper.sweep(METADATA);
    scene.sandbox.kubernetes.faults.add({ kind: "reset", when: "before" });
    await consumeAll(sweeper);
    expect(total(sweeper, "SweepBindingsUnknown")).toBe(60);
    expect(total(sweeper, "SweepShardsPlanned")).toBe(2);
    expect(total(sweeper, "SweepShardsCompleted")).toBe(0);
  });
});

it("a sweep that could not be handed to the queue fails, and its schedule sends it again", async () => {
  const fleet = await scene.openFleet({ size: 120 });
  const sweeper = await sweeperOf(fleet, { env: envOf() });
  scene.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: "SendMessageBatch" } });
  await expect(sweeper.sweep(METADATA)).rejects.toMatchObject({ code: "SHARDS_NOT_SENT" });
});
