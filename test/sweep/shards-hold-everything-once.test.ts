import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTask } from "../../functions/reconcile/parse-task.ts";
import { parseShard } from "../../shared/sweep/parse-shard.ts";
import { fitIntoMessages, packBatches } from "../../shared/sweep/send-shards.ts";
import { listedOf, type Shard, shardItemOf, splitIntoShards } from "../../shared/sweep/shard.ts";
import { bindingOf, FIRST, SECOND, sourceOf } from "./factories.ts";

const MESSAGE_BYTES_MAX = 256 * 1024; // what SQS takes in every Region, for a message and for a batch

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

  it("keeps a namespace in one shard where it fits", () => {
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
  it("comes out of a message as it went in", () => {
    fc.assert(
      fc.property(anyShard(fc.array(anyShardItem, { maxLength: 20 })), (shard) => {
        expect(parseShard(JSON.stringify(shard))).toEqual(shard);
      }),
    );
  });

  it("of any size fits into messages and batches, and nothing is lost", () => {
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

  it("is not made of anything else, and no text makes the parser throw", () => {
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
    ];
    for (const each of wrong) {
      expect(parseShard(typeof each === "string" ? each : JSON.stringify(each))).toBeUndefined();
    }
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseShard(text)));
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

  it("is queue messages, of which those that hold no shard are told apart", () => {
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
      kind: "shards",
      messages: [
        { messageId: "1", shard },
        { messageId: "2", shard: undefined },
        { messageId: "", shard: undefined },
        { messageId: "", shard: undefined },
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

  it("is answered whatever it is", () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ Records: fc.array(fc.anything()) }),
      fc.record({ sweep: fc.anything(), plan: fc.anything(), clusters: fc.anything() }),
    );
    fc.assert(
      fc.property(anything, (input) => {
        expect(["sweep", "shards", "unknown"]).toContain(parseTask(input).kind);
      }),
    );
  });
});

describe("what a shard says of the sources", () => {
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
  ])("arrives as it was seen: $it", ({ binding, listed }) => {
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
      it: "there are more sources by now",
      item: shardItemOf({ binding: one, listed: [current] }),
      binding: two,
    },
    { it: "there are fewer", item: shardItemOf({ binding: two, listed: [current, current] }), binding: one },
  ])("is nothing where $it: then they are described", ({ item, binding }) => {
    expect(listedOf(item, binding)).toBeUndefined();
  });
});
