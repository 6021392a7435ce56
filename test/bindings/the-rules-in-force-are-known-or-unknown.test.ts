import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { BindingsDeleted } from "../../shared/bindings/published/errors.ts";
import { POINTER_KEY, parsePointer } from "../../shared/bindings/published/pointer.ts";
import { publishedRules } from "../../shared/bindings/published/published-rules.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { BUDGET, memoryStore, SELF } from "./memory-store.ts";

const CLUSTERS = { main: { name: "prod-eks", region: "eu-west-1" } };
const compiledWith = (name: string) =>
  loadBindings(
    JSON.stringify({
      version: 1,
      clusters: CLUSTERS,
      bindings: [{ source: "team/db", targets: [{ namespace: "shop", name }] }],
    }),
    "file",
  );
const source: SecretReference = { id: "team/db", names: ["team/db"] };

function prepare() {
  const store = memoryStore();
  let isDown = false;
  const { latest: read, known } = publishedRules(async (request, budget) => {
    if (isDown) throw new Error("S3 does not answer");
    return store.readObject(request, budget);
  });
  const setDown = (down: boolean) => {
    isDown = down;
  };
  const targetsBy = async (rules: Awaited<ReturnType<typeof read>>) =>
    (await rules.find(SELF, { source }, BUDGET)).bindings.map(({ target }) => target.name);
  return { store, read, known, setDown, targetsBy };
}

describe("rules", () => {
  it("are in force until others are published, and then superseded", async () => {
    const { store, read, targetsBy } = prepare();
    store.publish(compiledWith("old"));
    const rules = await read(BUDGET);
    expect(await rules.check(BUDGET)).toBe("in-force");

    store.publish(compiledWith("new"));

    expect(await rules.check(BUDGET)).toBe("superseded");
    expect(await rules.check(BUDGET)).toBe("superseded"); // also once the pointer is known
    expect(await targetsBy(rules)).toEqual(["old"]);
    const newer = await read(BUDGET);
    expect(newer.generation).toBe(2);
    expect(await newer.check(BUDGET)).toBe("in-force");
    expect(await targetsBy(newer)).toEqual(["new"]);
  });

  it("are unknown while the store does not answer, and the last known ones are used", async () => {
    const { store, read, setDown, targetsBy } = prepare();
    store.publish(compiledWith("db"));
    await targetsBy(await read(BUDGET));

    setDown(true);
    const rules = await read(BUDGET);

    expect(await rules.check(BUDGET)).toBe("unknown");
    expect(await targetsBy(rules)).toEqual(["db"]);
    setDown(false);
    expect(await rules.check(BUDGET)).toBe("in-force");
  });

  it("are those of the last read, without another one, until a check learns of newer ones", async () => {
    const { store, read, known } = prepare();
    store.publish(compiledWith("old"));
    const rules = await read(BUDGET);
    store.publish(compiledWith("new"));
    const reads = store.reads.length;

    expect((await known(BUDGET)).generation).toBe(1);
    expect(store.reads.length).toBe(reads);
    await rules.check(BUDGET);
    expect((await known(BUDGET)).generation).toBe(2);
  });

  it("are an error while nothing is known of them", async () => {
    const { store, read, setDown } = prepare();
    store.publish(compiledWith("db"));
    setDown(true);

    await expect(read(BUDGET)).rejects.toThrow("S3 does not answer");
  });

  it("bind nothing before the first publication, and are superseded by it", async () => {
    const { store, read, targetsBy } = prepare();
    const rules = await read(BUDGET);

    expect(rules.generation).toBe(0);
    expect(await targetsBy(rules)).toEqual([]);
    expect(await rules.check(BUDGET)).toBe("in-force");
    store.publish(compiledWith("db"));
    expect(await rules.check(BUDGET)).toBe("superseded");
  });

  it("are kept, unknown, by a function that knows them when the pointer is deleted, and nothing newer is guessed", async () => {
    const { store, read, known, targetsBy } = prepare();
    store.publish(compiledWith("db"));
    const rules = await read(BUDGET);
    await targetsBy(rules);
    store.objects.delete(POINTER_KEY);

    expect(await rules.check(BUDGET)).toBe("unknown");
    expect(await targetsBy(await known(BUDGET))).toEqual(["db"]);
    await expect(read(BUDGET)).rejects.toThrow(BindingsDeleted);
  });

  it("are an error for a function that starts after the pointer was deleted, while S3 remembers it", async () => {
    const deleted = publishedRules(async () => ({ kind: "absent", isDeleted: true }));

    await expect(deleted.known(BUDGET)).rejects.toThrow(BindingsDeleted);
    await expect(deleted.latest(BUDGET)).rejects.toThrow(BindingsDeleted);
  });

  it("are followed again after a deletion, whatever their generation is", async () => {
    const { store, read, targetsBy } = prepare();
    store.publish(compiledWith("old"));
    store.publish(compiledWith("old"));
    await read(BUDGET);
    const emptied = memoryStore();
    const pointer = emptied.publish(compiledWith("new"));
    store.objects.clear();
    await expect(read(BUDGET)).rejects.toThrow(BindingsDeleted);

    for (const [key, text] of emptied.objects) store.objects.set(key, text);

    const rules = await read(BUDGET);
    expect(rules.generation).toBe(pointer.generation);
    expect(await targetsBy(rules)).toEqual(["new"]);
  });

  it("are judged by the response, also when another call learns of newer rules meanwhile", async () => {
    const { store, read } = prepare();
    store.publish(compiledWith("old"));
    const rules = await read(BUDGET);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    let holds = false;
    const { latest: slow } = publishedRules(async (request, budget) => {
      const answer = await store.readObject(request, budget);
      if (holds) await held;
      return answer;
    });
    const own = await slow(BUDGET);
    holds = true;
    const isOldStill = own.check(BUDGET); // answered "unchanged" before the publication, and delivered after it
    holds = false;
    store.publish(compiledWith("new"));
    const newer = await slow(BUDGET);
    release();

    expect(await isOldStill).toBe("in-force");
    expect(await own.check(BUDGET)).toBe("superseded");
    expect(await newer.check(BUDGET)).toBe("in-force");
    expect(await rules.check(BUDGET)).toBe("superseded");
  });
});

describe("the known rules never go back,", () => {
  /** Reads of the pointer that are answered at once, but whose answers arrive only when released. */
  function prepareLate() {
    const store = memoryStore();
    const releases: (() => void)[] = [];
    let isLate = false;
    const source = publishedRules(async (request, budget) => {
      const answer = await store.readObject(request, budget);
      if (isLate) await new Promise<void>((resolve) => void releases.push(resolve));
      return answer;
    });
    const setLate = (late: boolean) => {
      isLate = late;
    };
    const release = () => {
      for (const free of releases.splice(0)) free();
    };
    return { store, ...source, setLate, release };
  }

  it("when the answer with older ones arrives after the answer with newer ones", async () => {
    const { store, known, latest, setLate, release } = prepareLate();
    store.publish(compiledWith("first"));
    await latest(BUDGET);
    store.publish(compiledWith("second"));
    setLate(true);
    const late = latest(BUDGET);
    await new Promise(setImmediate);
    store.publish(compiledWith("third"));
    setLate(false);
    expect((await latest(BUDGET)).generation).toBe(3);

    release();

    expect((await late).generation).toBe(2);
    expect((await known(BUDGET)).generation).toBe(3);
  });

  it("when the answer from before the first publication arrives after it", async () => {
    const { store, known, latest, setLate, release } = prepareLate();
    setLate(true);
    const late = latest(BUDGET);
    await new Promise(setImmediate);
    store.publish(compiledWith("first"));
    setLate(false);
    await latest(BUDGET);

    release();
    await late;

    expect((await known(BUDGET)).generation).toBe(1);
  });

  it("except to a pointer that a later read finds: it is the one in force", async () => {
    const { store, latest } = prepareLate();
    store.publish(compiledWith("first"));
    const older = store.objects.get(POINTER_KEY) ?? "";
    store.publish(compiledWith("second"));
    await latest(BUDGET);
    store.objects.set(POINTER_KEY, older);

    expect((await latest(BUDGET)).generation).toBe(1);
  });
});

describe("a damaged object", () => {
  it.each([
    ["is not JSON", (text: string) => text.slice(0, -1)],
    ["is of another version", (text: string) => text.replace('"version":1', '"version":2')],
    ["has no list of parts", (text: string) => text.replace('"parts"', '"part"')],
    ["has three parts", (text: string) => text.replace(/"parts":\[(".*?")\]/, '"parts":[$1,$1,$1]')],
    ["names a part outside of the store", (text: string) => text.replace(/"[0-9a-f]{32}"/, '"../../other"')],
  ])("that is the pointer and %s is refused", async (_it, damage) => {
    const { store, read } = prepare();
    store.publish(compiledWith("db"));
    store.objects.set(POINTER_KEY, damage(store.objects.get(POINTER_KEY) ?? ""));

    await expect(read(BUDGET)).rejects.toMatchObject({ code: "BINDINGS_DAMAGED" });
  });

  it("that is a part is refused, wherever it is damaged", async () => {
    const { store, read, targetsBy } = prepare();
    const { parts } = store.publish(compiledWith("db"));
    const key = `parts/${parts[0]}.json`;
    const text = store.objects.get(key) ?? "";
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), async (at) => {
        store.objects.set(key, text.slice(0, at) + (text[at] === "x" ? "y" : "x") + text.slice(at + 1));
        await expect(targetsBy(await read(BUDGET))).rejects.toMatchObject({ code: "BINDINGS_DAMAGED" });
      }),
    );
  });

  it("that is missing is refused", async () => {
    const { store, read, targetsBy } = prepare();
    const { parts } = store.publish(compiledWith("db"));
    store.objects.delete(`parts/${parts[0]}.json`);

    await expect(targetsBy(await read(BUDGET))).rejects.toMatchObject({ code: "BINDINGS_DAMAGED" });
  });

  it("never crashes the parser, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parsePointer(text)).toThrow(/^The published object bindings\.json /);
      }),
    );
  });
});
