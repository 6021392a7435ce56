import { randomUUID } from "node:crypto";
import type { SQSBatchResponse } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { MARK } from "../harness/canary.ts";
import { labelUpdated, startRelay, startSweeper, type TestSweeper } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { invokeWithin, totalOf, useFaultScene } from "../rotation/fault-scene.ts";

const at = useFaultScene();

const FIRST = `${MARK}-first`;
const SECOND = `${MARK}-second`;
const NOWHERE = "00000000-0000-4000-8000-000000000000";

const forgetCalls = () => {
  at.sandbox.aws.counters.reset();
  at.sandbox.kubernetes.requests.reset();
};
const expectNoCall = () => {
  expect(at.sandbox.aws.counters.callsTotal).toBe(0);
  expect(at.sandbox.kubernetes.requests.total).toBe(0);
};
const writesOf = (name = "db") => at.sandbox.kubernetes.history(at.scene.namespace, name);
const valuesWritten = (name = "db") =>
  writesOf(name).map(({ data }) => Buffer.from(data.password ?? "", "base64").toString());

/** Of one event: the read, three for a version that is not there yet, three when the Secret was written a moment ago. */
const READS_MAX = 7;

/** A relay whose one source was synced, then rotated and synced again. */
const openRotated = async () => {
  const first = await at.createSource(FIRST);
  const relay = await startRelay(at.backend, { bindings: [at.bindTo(first)] });
  const event = labelUpdated(at.backend, first);
  await relay.invoke(event);
  const second = await at.rotate(first, SECOND);
  await relay.invoke(labelUpdated(at.backend, second));
  forgetCalls();
  return { relay, first, second, oldEvent: event };
};

describe("a forged event", () => {
  const elsewhere = (arn: string, from: string, to: string) => arn.replace(from, to);
  type Real = ReturnType<typeof labelUpdated>;
  it.each<{ it: string; forge: (event: Real, unbound: TestSource) => object }>([
    {
      it: "the ARN of another account, and a bound name",
      forge: (event) => ({
        ...event,
        resources: [elsewhere(event.resources[0] ?? "", "111122223333", "444455556666")],
      }),
    },
    {
      it: "the ARN of another Region, and a bound name",
      forge: (event) => ({
        ...event,
        resources: [elsewhere(event.resources[0] ?? "", "eu-west-1", "us-east-1")],
      }),
    },
    {
      it: "the ARN of another partition, and a bound name",
      forge: (event) => ({
        ...event,
        resources: [elsewhere(event.resources[0] ?? "", "arn:aws:", "arn:aws-cn:")],
      }),
    },
    {
      it: "no ARN, and another account",
      forge: (event) => ({ ...event, resources: [], account: "444455556666" }),
    },
    {
      it: "no ARN, and another Region",
      forge: (event) => ({ ...event, resources: [], region: "us-east-1" }),
    },
    {
      it: "the ARN of another secret, and a bound name",
      forge: (event, unbound) => ({ ...event, resources: [unbound.arn] }),
    },
    {
      it: "a bound ARN, and the name of another secret",
      forge: (event, { name }) => ({ ...event, detail: { ...event.detail, name } }),
    },
    { it: "another service as source", forge: (event) => ({ ...event, source: "aws.s3" }) },
    { it: "a custom source", forge: (event) => ({ ...event, source: "com.example.shop" }) },
    {
      it: "an unknown detail-type",
      forge: (event) => ({ ...event, "detail-type": "Secret Label Updated " }),
    },
    {
      it: "a detail-type of CloudTrail",
      forge: (event) => ({ ...event, "detail-type": "AWS API Call via CloudTrail" }),
    },
    {
      it: "a label that no binding follows",
      forge: (event) => ({ ...event, detail: { ...event.detail, labelUpdated: "AWSPENDING" } }),
    },
    {
      it: "a label that is a list",
      forge: (event) => ({ ...event, detail: { ...event.detail, labelUpdated: ["AWSCURRENT"] } }),
    },
    {
      it: "a name that is a path",
      forge: (event) => ({ ...event, detail: { ...event.detail, name: "../prod/db" } }),
    },
  ])("makes no call and writes nothing: $it", async ({ forge }) => {
    const bound = await at.createSource(FIRST);
    const unbound = await at.createSource(SECOND);
    const relay = await startRelay(at.backend, { bindings: [at.bindTo(bound)] });
    forgetCalls();

    const report = await relay.invoke(forge(labelUpdated(at.backend, bound), unbound));

    expect(report.targets).toEqual([]);
    expectNoCall();
    expect(writesOf()).toEqual([]);
  });

  it("with an unknown version costs a few reads, and the Secret stays at AWSCURRENT", async () => {
    const { relay, second } = await openRotated();
    const report = await relay.invoke(labelUpdated(at.backend, { ...second, versionId: NOWHERE }));
    expect(report.targets).toMatchObject([{ outcome: "unchanged", versionId: second.versionId }]);
    expect(at.sandbox.aws.counters.callsOf("GetSecretValue")).toBe(4);
    expect(at.sandbox.kubernetes.requests.count("patch", "secrets")).toBe(0);
    expect(valuesWritten()).toEqual([FIRST, SECOND]);
  });

  it.each(["", "x y", "x".repeat(65), 7, null, { versionId: NOWHERE }])(
    "has for a version that can be none (%j) one read, as without one",
    async (versionId) => {
      const { relay, second } = await openRotated();
      await relay.invoke(labelUpdated(at.backend, { ...second, versionId: versionId as string }));
      expect(at.sandbox.aws.counters.callsOf("GetSecretValue")).toBe(1);
      expect(valuesWritten()).toEqual([FIRST, SECOND]);
    },
  );
});

describe("a repeated event", () => {
  it("after a later rotation leaves the newer value", async () => {
    const { relay, second, oldEvent } = await openRotated();
    for (const time of [oldEvent.time, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]) {
      const report = await relay.invoke({ ...oldEvent, time });
      expect(report.targets).toMatchObject([{ outcome: "unchanged", versionId: second.versionId }]);
    }
    expect(at.sandbox.kubernetes.requests.count("patch", "secrets")).toBe(0);
    expect(valuesWritten()).toEqual([FIRST, SECOND]);
  });

  it("two hundred times at once, with both versions, leaves the Secret at AWSCURRENT and costs a few calls each", async () => {
    const { relay, first, oldEvent } = await openRotated();
    const third = await at.rotate(first, `${MARK}-third`);
    forgetCalls();
    const events = Array.from({ length: 200 }, (_, index) =>
      index % 10 === 0 ? oldEvent : labelUpdated(at.backend, third),
    );

    // The invocations share one process: on a busy machine they take longer than Lambda's 15 s.
    await Promise.all(events.map((event) => invokeWithin(relay, at, event, 120_000)));

    expect(await at.scene.readData("db")).toEqual({ password: `${MARK}-third` });
    expect(valuesWritten()).toEqual([FIRST, SECOND, `${MARK}-third`]); // the other 199 changed nothing
    expect(at.sandbox.aws.counters.callsOf("GetSecretValue")).toBeLessThanOrEqual(200 * READS_MAX);
    expect(at.sandbox.aws.counters.callsTotal).toBe(at.sandbox.aws.counters.callsOf("GetSecretValue"));
    expect(at.sandbox.kubernetes.requests.count("patch", "secrets")).toBeLessThanOrEqual(200 * 2);
  }, 180_000);

  it("a hundred times in one message is processed; more is refused without a call", async () => {
    const { relay, second } = await openRotated();
    const inMessage = (count: number) => ({
      Records: [
        sqsRecord("many", {
          Records: Array.from({ length: count }, (_, index) =>
            sqsRecord(`${index}`, labelUpdated(at.backend, second)),
          ),
        }),
      ],
    });
    await relay.invoke(inMessage(101));
    expectNoCall();
    expect(relay.metrics).toContainEqual({ name: "EventsRejected", value: 1, code: "TOO_MANY_RECORDS" });
    await relay.invoke(inMessage(100));
    expect(at.sandbox.aws.counters.callsOf("GetSecretValue")).toBeLessThanOrEqual(100);
    expect(valuesWritten()).toEqual([FIRST, SECOND]);
  });
});

const sqsRecord = (messageId: string, body: unknown) => ({
  messageId,
  body: typeof body === "string" ? body : JSON.stringify(body),
  eventSource: "aws:sqs",
});

const GARBAGE = [
  "",
  "null",
  "[]",
  "{",
  '"text"',
  "7",
  "\u0000",
  '{"__proto__":{"secretId":"prod/db"}}',
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  "x".repeat(200_000),
];

describe("a queue with invalid messages", () => {
  it("delivers the valid messages; the invalid ones are counted and not retried", async () => {
    const source = await at.createSource(FIRST);
    const relay = await startRelay(at.backend, { bindings: [at.bindTo(source)] });
    const Records = [
      ...GARBAGE.map((body, index) => sqsRecord(`garbage-${index}`, body)),
      sqsRecord("fine", labelUpdated(at.backend, source)),
    ];
    const answer: unknown = await relay.invoke({ Records });
    expect(answer).toEqual({ batchItemFailures: [] } satisfies SQSBatchResponse);
    expect(valuesWritten()).toEqual([FIRST]);
    expect(totalOf(relay, "EventsRejected")).toBe(GARBAGE.length);
  });
});

describe("a forged shard", () => {
  const shardOf = (items: readonly object[], more: object = {}) => ({
    version: 1,
    sweepId: randomUUID(),
    mode: "metadata",
    plan: false,
    sweepStartedAt: Date.now(),
    cluster: "main",
    items,
    ...more,
  });
  const item = (name = "db", more: object = {}) => ({ n: at.scene.namespace, t: name, ...more });
  const send = async (sweeper: TestSweeper, ...bodies: readonly unknown[]) => {
    const Records = bodies.map((body, index) => sqsRecord(`message-${index}`, body));
    const answer = (await sweeper.sweep({ Records })) as unknown as SQSBatchResponse;
    return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  const checked = ({ metrics }: TestSweeper) =>
    metrics.filter(({ name }) => name === "SweepBindingsChecked").reduce((sum, { value }) => sum + value, 0);

  /** A Secret in order, and one that is not bound and holds what the relay must not learn. */
  const openInOrder = async (rules: object = {}) => {
    const { first, second } = await openRotated();
    await at.scene.createSecret("other", { password: `${MARK}-not-bound` });
    const sweeper = await startSweeper(at.backend, { bindings: [{ ...at.bindTo(first), ...rules }] });
    forgetCalls();
    return { sweeper, first, second };
  };

  it.each<{ it: string; forge: () => object }>([
    { it: "a Secret that is not bound", forge: () => shardOf([item("other")]) },
    { it: "a Secret that is not there", forge: () => shardOf([item("nothing", { v: NOWHERE })]) },
    { it: "another namespace", forge: () => shardOf([{ n: "kube-system", t: "db" }]) },
    { it: "a cluster that is not there", forge: () => shardOf([item()], { cluster: "nowhere" }) },
    { it: "a cluster named like a prototype", forge: () => shardOf([item()], { cluster: "__proto__" }) },
    { it: "a cluster that is a URL", forge: () => shardOf([item()], { cluster: "https://example.com" }) },
    { it: "names that are paths", forge: () => shardOf([{ n: `${at.scene.namespace}/x`, t: "../db" }]) },
    {
      it: "thousands of names",
      forge: () => shardOf(Array.from({ length: 5_000 }, (_, index) => item(`db-${index}`))),
    },
    {
      it: "names of prototype properties",
      forge: () => shardOf(["__proto__", "constructor", "toString"].map((name) => item(name))),
    },
    { it: "nothing", forge: () => shardOf([]) },
  ])("makes no call: $it", async ({ forge }) => {
    const { sweeper } = await openInOrder();
    for (const mode of ["metadata", "values"]) {
      expect(await send(sweeper, { ...forge(), mode })).toEqual([]);
    }
    expectNoCall();
    expect(checked(sweeper)).toBe(0);
  });

  it.each<{ it: string; more: object }>([
    { it: "that does not exist", more: { v: NOWHERE, c: Date.now() } },
    { it: "that is deprecated", more: { v: NOWHERE, d: true } },
    { it: "of a source that the binding does not have", more: { s: [{ v: NOWHERE }, { v: NOWHERE }] } },
    { it: "of the year 275760", more: { v: NOWHERE, c: 8.64e15 } },
  ])("is not believed about a version $it: it is confirmed, and nothing is written", async ({ more }) => {
    const { sweeper } = await openInOrder();
    expect(await send(sweeper, shardOf([item("db", more)]))).toEqual([]);
    expect(checked(sweeper)).toBe(1);
    expect(sweeper.logs.map(({ code }) => code)).not.toContain("DRIFT_FOUND");
    expect(at.sandbox.aws.counters.callsOf("DescribeSecret")).toBe(1);
    expect(at.sandbox.aws.counters.secretValuesServed).toBe(0);
    expect(at.sandbox.kubernetes.requests.secretValuesServed).toBe(0);
    expect(valuesWritten()).toEqual([FIRST, SECOND]);
  });

  it("with the previous version hides a missed rotation only until the next sweep", async () => {
    const { sweeper, first, second } = await openInOrder();
    await at.rotate(first, `${MARK}-third`);
    await send(sweeper, shardOf([item("db", { v: second.versionId })]));
    expect(valuesWritten()).toEqual([FIRST, SECOND]);
    await send(sweeper, shardOf([item()]));
    expect(valuesWritten()).toEqual([FIRST, SECOND, `${MARK}-third`]);
  });

  it("writes only bound Secrets, with the rules of their bindings", async () => {
    const { sweeper } = await openInOrder({ adopt: true });
    await at.scene.patchSecret("db", {
      data: { password: Buffer.from(`${MARK}-edited`).toString("base64") },
    });
    await send(
      sweeper,
      shardOf([item("db", { v: NOWHERE }), item("other", { v: NOWHERE })], { mode: "values" }),
    );
    expect(valuesWritten().at(-1)).toBe(SECOND);
    expect(valuesWritten("other")).toEqual([`${MARK}-not-bound`]);
  });

  it.each(["metadata", "values"])(
    "by %s that names one Secret five thousand times has it looked at once",
    async (mode) => {
      const { sweeper } = await openInOrder();
      await send(
        sweeper,
        shardOf(
          Array.from({ length: 5_000 }, () => item()),
          { mode },
        ),
      );
      expect(checked(sweeper)).toBe(1);
      expect(at.sandbox.kubernetes.requests.count("get", "secrets")).toBeLessThanOrEqual(1);
      expect(at.sandbox.aws.counters.callsTotal).toBeLessThanOrEqual(1);
    },
  );

  it.each(GARBAGE)("is returned alone if it is invalid: %.20j", async (body) => {
    const { sweeper } = await openInOrder();
    expect(await send(sweeper, shardOf([item()]), body, shardOf([item()]))).toEqual(["message-1"]);
    expect(checked(sweeper)).toBe(2);
  });

  it.each<{ it: string; more: object }>([
    { it: "another version", more: { version: 2 } },
    { it: "a mode that is none", more: { mode: "delete" } },
    { it: "a plan that is a text", more: { plan: "false" } },
    { it: "a begin outside of the calendar", more: { sweepStartedAt: 1e300 } },
    { it: "a begin that is a text", more: { sweepStartedAt: "2026-11-25T03:00:00Z" } },
    { it: "an id of a megabyte", more: { sweepId: "x".repeat(1_000_000) } },
    { it: "an id of several lines", more: { sweepId: "a\nb" } },
    { it: "items that are a text", more: { items: "db" } },
    { it: "an item that is null", more: { items: [null] } },
    { it: "a name that is a list", more: { items: [{ n: "app", t: ["db"] }] } },
    {
      it: "an invalid time of a source",
      more: { items: [{ n: "app", t: "db", v: NOWHERE, c: -1e300 }] },
    },
    { it: "a version of a megabyte", more: { items: [{ n: "app", t: "db", v: "x".repeat(1_000_000) }] } },
  ])("is returned without a call: $it", async ({ more }) => {
    const { sweeper } = await openInOrder();
    expect(await send(sweeper, shardOf([item()], more))).toEqual(["message-0"]);
    expect(sweeper.logs.map(({ code }) => code)).toEqual(["MESSAGE_REJECTED"]);
    expectNoCall();
  });
});

describe("a shard that requests deletions", () => {
  const NAMES = Array.from({ length: 10 }, (_, index) => `part-${index}`);
  const openPart = async () => {
    await at.scene.grantMore("more", NAMES);
    await at.scene.grantDelete(NAMES);
    const sources = await Promise.all(NAMES.map(() => at.createSource(FIRST)));
    const bindings = sources.map((source, index) => ({
      ...at.bindTo(source, NAMES[index]),
      deletionPolicy: "delete",
    }));
    const relay = await startRelay(at.backend, { bindings });
    for (const source of sources) await relay.invoke(labelUpdated(at.backend, source));
    return { sources, sweeper: await startSweeper(at.backend, { bindings, deletionGraceMs: 0 }) };
  };
  const send = (sweeper: TestSweeper, names: readonly string[], more: object = {}) => {
    const items = names.map((name) => ({ n: at.scene.namespace, t: name, ...more }));
    const body = {
      version: 1,
      sweepId: "forged",
      mode: "metadata",
      plan: false,
      sweepStartedAt: 0,
      cluster: "main",
      items,
    };
    return sweeper.sweep({ Records: [sqsRecord("one", body)] });
  };
  const left = async () =>
    (await Promise.all(NAMES.map((name) => at.scene.readData(name)))).filter(Boolean).length;

  it("deletes no Secret whose source exists", async () => {
    const { sweeper } = await openPart();
    for (const more of [{}, { v: NOWHERE, d: true }, { s: [] }]) {
      for (let look = 0; look < 2; look += 1) await send(sweeper, NAMES, more);
    }
    expect(await left()).toBe(NAMES.length);
    expect(at.sandbox.kubernetes.requests.count("delete", "secrets")).toBe(0);
  });

  it("does not raise the limit of deletions by repeating names", async () => {
    const { sources, sweeper } = await openPart();
    for (const source of sources.slice(0, 3)) await at.scene.deleteSource(source);
    // The first look notes what is gone, the second one would delete it.
    for (let look = 0; look < 2; look += 1) {
      await send(sweeper, [...NAMES, ...Array.from({ length: 1_000 }, () => "part-9")]);
    }
    expect(await left()).toBe(NAMES.length);
    expect(at.sandbox.kubernetes.requests.count("delete", "secrets")).toBe(0);
  });

  it("deletes only Secrets whose sources are missing, one shard at a time", async () => {
    const { sources, sweeper } = await openPart();
    for (const source of sources.slice(0, 3)) await at.scene.deleteSource(source);
    for (const name of NAMES) await send(sweeper, [name]);
    expect(await left()).toBe(NAMES.length);
    for (const name of NAMES) await send(sweeper, [name]);
    expect(await left()).toBe(NAMES.length - 3);
    expect(at.sandbox.kubernetes.requests.count("delete", "secrets")).toBe(3);
  });
});
