import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeMessage } from "../../cli/redrive/describe-message.ts";
import type { FailureQueue } from "../../cli/redrive/failure-queues.ts";
import { parseTask } from "../../functions/reconcile/parse-task.ts";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { parseShard } from "../../shared/sweep/parse-shard.ts";
import { fitIntoMessages, packBatches } from "../../shared/sweep/send-shards.ts";
import { listedOf, type Shard, shardItemOf, splitIntoShards } from "../../shared/sweep/shard.ts";
import { bindingOf, FIRST, SECOND, sourceOf } from "./factories.ts";

const MESSAGE_BYTES_MAX = 256 * 1024; // the limit of SQS in every Region, for a message and for a batch

const anyItems = fc
  .array(
    fc.record({ cluster: fc.constantFrom("main", "other"), namespace: fc.constantFrom("a", "b", "c", "d") }),
    {
      maxLength: 120,
    },
  )
  .map((targets) =>
    targets.map((target, index) => ({ index, binding: bindingOf({ ...target, name: `db-${index}` }) })),
  );

const anyShard = (items: fc.Arbitrary<Shard["items"]>): fc.Arbitrary<Shard> =>
  fc.record({
    version: fc.constant(1 as const),
    sweepId: fc.uuid(),
    mode: fc.constantFrom("metadata" as const, "values" as const),
    plan: fc.boolean(),
    sweepStartedAt: fc.integer({ min: 0 }),
    cluster: fc.string({ minLength: 1, maxLength: 60, unit: "grapheme-ascii" }),
    items,
  });

const name = fc.string({ minLength: 1, maxLength: 63, unit: fc.constantFrom(..."abcxyz-019") });
const anyShardItem = fc.oneof(
  fc.record({ n: name, t: name }),
  fc.record({ n: name, t: name, v: fc.uuid() }),
  fc.record({ n: name, t: name, v: fc.uuid(), c: fc.integer() }),
  fc.record({
    n: name,
    t: name,
    s: fc.array(
      fc.oneof(
        fc.constant({}),
        fc.record({ v: fc.uuid(), d: fc.constant(true as const) }),
        fc.record({ v: fc.uuid(), c: fc.integer() }),
      ),
      { minLength: 2, maxLength: 4 },
    ),
  }),
);

/** A shard in which some parts may be any JSON. */
const anyOr = (part: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 15, arbitrary: part }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
const anyNumber = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(8.64e15, 8.64e15 + 1, -1e300, 1e300));
const anyNearSource = fc.record({ v: anyOr(fc.uuid()), c: anyNumber, d: fc.boolean() }, { requiredKeys: [] });
const anyNearItem = fc
  .tuple(
    fc.record({ n: anyOr(name), t: anyOr(name) }),
    anyNearSource,
    fc.record({ s: fc.array(anyOr(anyNearSource), { maxLength: 3 }) }, { requiredKeys: [] }),
  )
  .map(([names, source, others]) => ({ ...names, ...source, ...others }));
const anyNearShard = fc.record({
  version: anyOr(fc.constant(1)),
  sweepId: anyOr(fc.oneof(fc.uuid(), fc.string())),
  mode: anyOr(fc.constantFrom("metadata", "values")),
  plan: anyOr(fc.boolean()),
  sweepStartedAt: anyNumber,
  cluster: anyOr(fc.string()),
  items: anyOr(fc.array(anyOr(fc.oneof(anyShardItem, anyNearItem)), { maxLength: 3 })),
});
const anyRecord = anyOr(
  fc.record({
    messageId: anyOr(fc.uuid()),
    body: anyOr(
      fc.oneof(
        fc.json(),
        anyNearShard.map((near) => JSON.stringify(near)),
      ),
    ),
  }),
);

function expectShape({ sweepId, mode, plan, sweepStartedAt, cluster, items, ...others }: Shard): void {
  expect(others).toEqual({ version: 1 });
  expect(sweepId).toMatch(/^[\w-]{1,64}$/);
  expect(["metadata", "values"]).toContain(mode);
  expect(plan).toBeTypeOf("boolean");
  expect(() => new Date(sweepStartedAt).toISOString()).not.toThrow();
  expect(cluster).toBeTypeOf("string");
  for (const { n, t, s = [], ...only } of items) {
    expect([typeof n, typeof t]).toEqual(["string", "string"]);
    for (const { v = "", c = 0, d = true } of [only, ...s]) {
      expect(v.length).toBeLessThanOrEqual(64);
      expect(() => new Date(c).toISOString()).not.toThrow();
      expect(d).toBe(true);
    }
  }
}

describe("a sweep that is split", () => {
  it("has each binding in one shard, each shard in one cluster, and none above the size", () => {
    fc.assert(
      fc.property(anyItems, fc.integer({ min: 1, max: 50 }), (items, sizeMax) => {
        const shards = splitIntoShards(items, sizeMax);
        const indexes = shards.flatMap((shard) => shard.items.map(({ index }) => index));
        expect(indexes.toSorted((a, b) => a - b)).toEqual(items.map(({ index }) => index));
        for (const { cluster, items: ofShard } of shards) {
          expect(ofShard.length).toBeGreaterThan(0);
          expect(ofShard.length).toBeLessThanOrEqual(sizeMax);
          expect(new Set(ofShard.map(({ binding }) => binding.target.cluster))).toEqual(new Set([cluster]));
        }
      }),
    );
  });

  it("keeps a namespace in one shard if it fits", () => {
    fc.assert(
      fc.property(anyItems, fc.integer({ min: 1, max: 50 }), (items, sizeMax) => {
        const shards = splitIntoShards(items, sizeMax);
        const sizes = Map.groupBy(
          items,
          ({ binding: { target } }) => `${target.cluster}/${target.namespace}`,
        );
        for (const [place, { length }] of sizes) {
          if (length > sizeMax) continue;
          const holding = shards.filter(({ cluster, items: ofShard }) =>
            ofShard.some(({ binding: { target } }) => `${cluster}/${target.namespace}` === place),
          );
          expect(holding).toHaveLength(1);
        }
      }),
    );
  });
});

describe("a shard", () => {
  it("survives a round trip through a message", () => {
    fc.assert(
      fc.property(anyShard(fc.array(anyShardItem, { maxLength: 20 })), (shard) => {
        expect(parseShard(JSON.stringify(shard))).toEqual(shard);
      }),
    );
  });

  it("of any size fits into messages and batches, without loss", () => {
    const many = fc
      .tuple(anyShardItem, fc.integer({ min: 0, max: 6_000 }))
      .map(([item, count]) => Array.from({ length: count }, (_, index) => ({ ...item, t: `db-${index}` })));
    fc.assert(
      fc.property(anyShard(many), (shard) => {
        const bodies = fitIntoMessages(shard);
        for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
        expect(bodies.flatMap((body) => parseShard(body)?.items ?? [])).toEqual(shard.items);

        const batches = packBatches(bodies);
        expect(batches.flat()).toEqual(bodies);
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(batch.reduce((sum, body) => sum + Buffer.byteLength(body), 0)).toBeLessThanOrEqual(
            MESSAGE_BYTES_MAX,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is not parsed from anything else, and the parser never throws", () => {
    const whole = {
      version: 1,
      sweepId: "s",
      mode: "metadata",
      plan: false,
      sweepStartedAt: 0,
      cluster: "c",
    };
    const wrong = [
      "",
      "null",
      "[]",
      "{",
      { ...whole, items: [], version: 2 },
      { ...whole },
      { ...whole, items: [null] },
      { ...whole, items: [{ n: "a" }] },
      { ...whole, items: [{ n: "a", t: "b", v: 1 }] },
      { ...whole, items: [], mode: "both" },
      { ...whole, items: [], plan: "no" },
      { ...whole, items: [], sweepStartedAt: 8.64e15 + 1 },
      { ...whole, items: [], sweepStartedAt: -1e300 },
      { ...whole, items: [], sweepId: "" },
      { ...whole, items: [], sweepId: "a\nb" },
      { ...whole, items: [], sweepId: "x".repeat(65) },
      { ...whole, items: [{ n: "a", t: "b", v: "x".repeat(65) }] },
      { ...whole, items: [{ n: "a", t: "b", c: 1e300 }] },
    ];
    for (const each of wrong) {
      expect(parseShard(typeof each === "string" ? each : JSON.stringify(each))).toBeUndefined();
    }
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseShard(text)));
  });

  it("that is almost valid is refused, or its times can be printed and its id logged", () => {
    let taken = 0;
    fc.assert(
      fc.property(anyNearShard, (near) => {
        const shard = parseShard(JSON.stringify(near));
        if (shard === undefined) return;
        taken += 1;
        expectShape(shard);
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(50); // so that the property is meaningful
  });

  it("in any batch is reported by its message id, and the parser never throws", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), (records) => {
        const task = parseTask({ Records: JSON.parse(JSON.stringify(records)) });
        if (task.kind !== "messages") throw new TypeError(`It was taken for ${task.kind}`);
        expect(task.messages).toHaveLength(records.length);
        for (const { messageId, work } of task.messages) {
          expect(messageId).toBeTypeOf("string");
          if (work !== undefined && !("kind" in work)) expectShape(work);
        }
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (input) => void parseTask(input)));
    fc.assert(fc.property(fc.jsonValue(), (Records) => void parseTask({ Records })));
  });

  it("in a failure queue is described for any content, so that an operator can remove it", () => {
    const context = {
      now: 0,
      bindings: { version: 1, relay: "secret-relay", clusters: {}, bindings: [] } as CompiledBindings,
      location: { partition: "aws", region: "eu-west-1", accountId: "111122223333" } as AwsLocation,
    };
    const anyBody = fc.oneof(
      fc.string(),
      fc.json(),
      anyNearShard.map((near) => JSON.stringify(near)),
    );
    fc.assert(
      fc.property(anyBody, fc.constantFrom("messages", "events", "sweeps"), (body, kind) => {
        expect(describeMessage(body, kind as FailureQueue["kind"], context).says).toBeTypeOf("string");
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the function's input", () => {
  it("is a sweep, with or without its options", () => {
    expect(parseTask({ sweep: "metadata" })).toEqual({
      kind: "sweep",
      request: { mode: "metadata", plan: false },
    });
    expect(parseTask({ sweep: "values", plan: true, clusters: ["main"] })).toEqual({
      kind: "sweep",
      request: { mode: "values", plan: true, clusters: ["main"] },
    });
  });

  it("is queue messages, and those without a shard are reported", () => {
    const shard = {
      version: 1,
      sweepId: "s",
      mode: "values",
      plan: false,
      sweepStartedAt: 0,
      cluster: "c",
      items: [],
    };
    const Records = [{ messageId: "1", body: JSON.stringify(shard) }, { messageId: "2", body: "?" }, null, 7];
    expect(parseTask({ Records })).toEqual({
      kind: "messages",
      messages: [
        { messageId: "1", work: shard },
        { messageId: "2", work: undefined },
        { messageId: "", work: undefined },
        { messageId: "", work: undefined },
      ],
    });
  });

  it.each([
    [undefined],
    [null],
    ["metadata"],
    [{}],
    [{ Records: [] }],
    [{ Records: "x" }],
    [{ sweep: "all" }],
    [{ sweep: "metadata", plan: "yes" }],
    [{ sweep: "metadata", clusters: "main" }],
    [{ sweep: "metadata", cluster: "main" }],
  ])("is nothing else: %j", (input) => expect(parseTask(input).kind).toBe("unknown"));

  it("gets a response for any value", () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ Records: fc.array(fc.anything()) }),
      fc.record({ sweep: fc.anything(), plan: fc.anything(), clusters: fc.anything() }),
    );
    fc.assert(
      fc.property(anything, (input) => {
        expect(["sweep", "messages", "unknown"]).toContain(parseTask(input).kind);
      }),
    );
  });
});

describe("the source versions in a shard", () => {
  const ALL = { keys: { kind: "all" } } as const;
  const one = bindingOf();
  const two = bindingOf(
    {},
    {
      sources: [
        { ...sourceOf("prod/a"), ...ALL },
        { ...sourceOf("prod/b"), ...ALL },
      ],
    },
  );
  const current = { kind: "current", versionId: FIRST, changedAt: 5 } as const;
  const deprecated = { kind: "current", versionId: SECOND, isDeprecated: true } as const;

  it.each([
    { it: "one source", binding: one, listed: [current] },
    { it: "a deprecated version", binding: one, listed: [deprecated] },
    { it: "several sources", binding: two, listed: [current, deprecated] },
    { it: "several, of which one was not listed", binding: two, listed: [undefined, current] },
  ])("arrives unchanged: $it", ({ binding, listed }) => {
    const item = JSON.parse(JSON.stringify(shardItemOf({ binding, listed })));
    expect(listedOf(item, binding)).toEqual(listed);
  });

  it.each([
    { it: "nothing was listed", item: shardItemOf({ binding: two }), binding: two },
    {
      it: "the source is gone",
      item: shardItemOf({ binding: one, listed: [{ kind: "missing" }] }),
      binding: one,
    },
    {
      it: "there are more sources now",
      item: shardItemOf({ binding: one, listed: [current] }),
      binding: two,
    },
    { it: "there are fewer", item: shardItemOf({ binding: two, listed: [current, current] }), binding: one },
  ])("is ignored if $it, and the sources are described", ({ item, binding }) => {
    expect(listedOf(item, binding)).toBeUndefined();
  });
});
