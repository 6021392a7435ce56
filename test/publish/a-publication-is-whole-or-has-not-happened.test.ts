import { describe, expect, it } from "vitest";
import { publishBindings, rollBack } from "../../cli/publish/publish-bindings.ts";
import { readPublished } from "../../cli/publish/read-published.ts";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { publishedRules } from "../../shared/bindings/published/published-rules.ts";
import { BUDGET, SELF } from "../bindings/memory-store.ts";
import { ConnectionLost, memoryBucket } from "./memory-bucket.ts";

const CLUSTERS = { main: { name: "prod-eks", region: "eu-west-1" } };

/** Bindings of several parts, which differ in all of them. */
function fleet(type: string, count = 900): CompiledBindings {
  const bindings = Array.from({ length: count }, (_, at) => ({
    source: `team/db-${at}`,
    type,
    targets: [{ namespace: "shop", name: `db-${at}` }],
  }));
  return loadBindings(JSON.stringify({ version: 1, clusters: CLUSTERS, bindings }), "fleet");
}

const OLD = fleet("example.com/old");
const NEW = fleet("example.com/new");
const publisherOf = (name: string) => ({
  callerArn: `arn:aws:iam::111122223333:role/${name}`,
  now: () => Date.parse("2026-11-20T10:00:00Z"),
  reportProgress: () => {},
});
const [ANNA, BEN] = [publisherOf("anna"), publisherOf("ben")];

async function typesInForce({ readObject }: ReturnType<typeof memoryBucket>): Promise<Set<string>> {
  const index = await (await publishedRules(readObject).latest(BUDGET)).all(SELF, BUDGET);
  return new Set(index.bindings.map(({ type }) => type));
}

async function published(): Promise<ReturnType<typeof memoryBucket>> {
  const store = memoryBucket();
  await publishBindings(store.bucket, OLD, undefined, ANNA);
  return store;
}

describe("a publication", () => {
  it("that ends before any one of its requests leaves the old bindings in force, and can be repeated", async () => {
    const count = await requestsOfOne();
    expect(count).toBeGreaterThan(10);
    for (let fatal = 0; fatal < count; fatal += 1) {
      const store = await published();
      const before = await store.bucket.readPointer();
      let asked = 0;
      store.hooks.before = () => {
        if (asked++ >= fatal) throw new ConnectionLost();
      };
      await expect(publishBindings(store.bucket, NEW, before, ANNA)).rejects.toThrow(ConnectionLost);

      store.hooks.before = () => {};
      expect(await typesInForce(store)).toEqual(new Set(["example.com/old"]));
      const again = await publishBindings(store.bucket, NEW, await store.bucket.readPointer(), ANNA);
      expect(again).toMatchObject({ kind: "published", pointer: { generation: 2 } });
      expect(await typesInForce(store)).toEqual(new Set(["example.com/new"]));
    }
  });

  it("whose response is lost is recognised as its own when it is repeated", async () => {
    const store = await published();
    const before = await store.bucket.readPointer();
    const putPointer = async (text: string, expected: string | undefined) => {
      await store.bucket.putPointer(text, expected);
      return store.bucket.putPointer(text, expected); // what the SDK does after a lost response
    };

    const result = await publishBindings({ ...store.bucket, putPointer }, NEW, before, ANNA);

    expect(result).toMatchObject({ kind: "published", pointer: { generation: 2 } });
  });

  it("writes only the parts that changed", async () => {
    const store = await published();
    const [first, ...others] = OLD.bindings;
    if (first === undefined) throw new TypeError("The fleet has bindings");
    const changed = { ...OLD, bindings: [{ ...first, type: "example.com/new" }, ...others] };

    const result = await publishBindings(store.bucket, changed, await store.bucket.readPointer(), ANNA);

    expect(result).toMatchObject({ kind: "published", partsWritten: 1 });
  });
});

describe("of two publications at once", () => {
  it("one wins, whichever of its requests the other one meets, and the other learns who did", async () => {
    const count = await requestsOfOne();
    for (let turn = 0; turn < count; turn += 1) {
      const store = await published();
      const before = await store.bucket.readPointer();
      const other = memoryRace(store, turn, async () => {
        const result = await publishBindings(store.bucket, fleet("example.com/ben"), before, BEN);
        expect(result.kind).toBe("published");
      });

      const result = await publishBindings(other.bucket, NEW, before, ANNA);

      expect(result).toMatchObject({
        kind: "superseded",
        by: { pointer: { generation: 2, publishedBy: BEN.callerArn } },
      });
      expect(await typesInForce(store)).toEqual(new Set(["example.com/ben"]));
    }
  });

  it("that are the first ones, one wins", async () => {
    const { bucket } = memoryBucket();
    const results = await Promise.all([
      publishBindings(bucket, OLD, undefined, ANNA),
      publishBindings(bucket, NEW, undefined, BEN),
    ]);

    expect(results.map(({ kind }) => kind).toSorted()).toEqual(["published", "superseded"]);
  });
});

describe("a rollback", () => {
  it("is a new generation with the bindings of the old one", async () => {
    const store = await published();
    const first = await store.bucket.readPointer();
    await publishBindings(store.bucket, NEW, first, ANNA);
    const now = await store.bucket.readPointer();
    if (first === undefined || now === undefined) throw new TypeError("Both are published");

    const result = await rollBack(store.bucket, first.pointer, now, BEN);

    expect(result).toMatchObject({
      kind: "published",
      pointer: { generation: 3, rollbackTo: 1, publishedBy: BEN.callerArn },
    });
    expect(await typesInForce(store)).toEqual(new Set(["example.com/old"]));
  });

  it("loses against a publication in between", async () => {
    const store = await published();
    const first = await store.bucket.readPointer();
    if (first === undefined) throw new TypeError("It is published");
    await publishBindings(store.bucket, NEW, first, ANNA);

    expect(await rollBack(store.bucket, first.pointer, first, BEN)).toMatchObject({ kind: "superseded" });
    expect(await typesInForce(store)).toEqual(new Set(["example.com/new"]));
  });
});

it("what is published can be read again as it was", async () => {
  const store = await published();
  const stored = await store.bucket.readPointer();
  if (stored === undefined) throw new TypeError("It is published");

  const { bindings, clusters, relay } = await readPublished(store.bucket, stored.pointer);

  const byName = (all: CompiledBindings["bindings"]) => new Map(all.map((each) => [each.target.name, each]));
  expect(byName(bindings)).toEqual(byName(OLD.bindings));
  expect({ clusters, relay }).toEqual({ clusters: OLD.clusters, relay: OLD.relay });
});

async function requestsOfOne(): Promise<number> {
  const store = await published();
  const before = await store.bucket.readPointer();
  const start = store.requests();
  await publishBindings(store.bucket, NEW, before, ANNA);
  return store.requests() - start;
}

/** The same bucket, where another publication runs whole before the request of that number. */
function memoryRace({ bucket }: ReturnType<typeof memoryBucket>, turn: number, run: () => Promise<void>) {
  let asked = 0;
  let ran: Promise<void> | undefined;
  const step = async () => {
    if (asked++ === turn) ran = run();
    await ran;
  };
  return {
    bucket: {
      ...bucket,
      putPart: async (hash: string, text: string) => {
        await step();
        return bucket.putPart(hash, text);
      },
      putPointer: async (text: string, expected: string | undefined) => {
        await step();
        return bucket.putPointer(text, expected);
      },
    },
  };
}
