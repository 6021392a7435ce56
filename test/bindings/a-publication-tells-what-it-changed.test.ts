import { describe, expect, it } from "vitest";
import { publishBindings, rollBack } from "../../cli/publish/publish-bindings.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { publishedRules } from "../../shared/bindings/published/published-rules.ts";
import { readChanges } from "../../shared/bindings/published/read-changes.ts";
import { memoryBucket } from "../publish/memory-bucket.ts";
import { BUDGET, SELF } from "./memory-store.ts";

const PUBLISHER = { callerArn: "", now: () => 0, reportProgress: () => {} };
const MAIN = { name: "prod-eks", region: "eu-west-1" };

/** 400 bindings are in several parts. */
const many = Array.from({ length: 400 }, (_, index) => `db-${index}`);

function prepare() {
  const { bucket, readObject } = memoryBucket();
  const parts: string[] = [];
  const { latest } = publishedRules((request, budget) => {
    if (request.key.startsWith("parts/")) parts.push(request.key);
    return readObject(request, budget);
  });
  const publish = async (names: readonly string[], more: object = {}, main = MAIN) => {
    const bindings = names.map((name) => ({
      source: `team/${name}`,
      targets: [{ namespace: "shop", name }],
      ...(name === "db-7" && more),
    }));
    const file = JSON.stringify({ version: 1, clusters: { main }, bindings });
    await publishBindings(bucket, loadBindings(file, "file"), await bucket.readPointer(), PUBLISHER);
    return (await bucket.readPointer())?.versionId ?? "";
  };
  const changesOf = async (publication: string) => {
    const { store } = await latest(BUDGET);
    parts.length = 0;
    const changes = store && (await readChanges(store, publication, SELF, BUDGET));
    return (
      changes && {
        since: changes.since,
        names: changes.index.bindings.map(({ target }) => target.name).sort(),
        removed: changes.removed.map(({ name }) => name),
      }
    );
  };
  return { bucket, parts, publish, changesOf };
}

describe("a publication", () => {
  it("changes what was added, changed and removed, and the parts that are the same are not read", async () => {
    const { parts, publish, changesOf } = prepare();
    await publish([...many, "old"]);
    const version = await publish([...many, "new"], { keys: { other: "password" } });

    expect(await changesOf(version)).toEqual({ since: 1, names: ["db-7", "new"], removed: ["old"] });
    expect(parts.length).toBeLessThanOrEqual(6); // of three bindings, before and after
  });

  it("that is the first one changes everything since nothing", async () => {
    const { publish, changesOf } = prepare();
    const version = await publish(["db-1", "db-2"]);

    expect(await changesOf(version)).toEqual({ since: 0, names: ["db-1", "db-2"], removed: [] });
  });

  it("that is a rollback changes what it takes back", async () => {
    const { bucket, publish, changesOf } = prepare();
    await publish(["db-1"]);
    const first = await bucket.readPointer();
    await publish(["db-1", "db-2"]);
    const before = await bucket.readPointer();
    if (first === undefined || before === undefined) throw new Error("Both are published");
    await rollBack(bucket, first.pointer, before, PUBLISHER);

    expect(await changesOf((await bucket.readPointer())?.versionId ?? "")).toEqual({
      ...{ since: 2, names: [], removed: ["db-2"] },
    });
  });

  it("of more parts than before is compared by its bindings", async () => {
    const { publish, changesOf } = prepare();
    await publish(["db-1"]);
    const version = await publish(many);

    const { names } = (await changesOf(version)) ?? {};
    expect(names).toHaveLength(many.length - 1);
    expect(names).not.toContain("db-1");
  });

  it("of another entry of a cluster changes all bindings of the cluster", async () => {
    const { publish, changesOf } = prepare();
    await publish(["db-1", "db-2"]);
    const version = await publish(["db-1", "db-2"], {}, { ...MAIN, name: "other-eks" });

    expect(await changesOf(version)).toEqual({ since: 1, names: ["db-1", "db-2"], removed: [] });
  });

  it("is unknown by a version that the bucket does not have", async () => {
    const { publish, changesOf } = prepare();
    await publish(["db-1"]);

    expect(await changesOf("forged")).toBeUndefined();
  });
});
