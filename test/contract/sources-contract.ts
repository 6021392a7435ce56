import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { findingsIn } from "../harness/rows.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** Several sources in one Secret, staging labels, pinned versions; the same on the sandbox and on real servers. */
export function describeSourcesContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const anyName = (): string => `prod/${randomUUID().slice(0, 8)}`;
  const create = (value: object | string) =>
    at.scene.createSource(anyName(), typeof value === "string" ? value : JSON.stringify(value));
  const open = async (rules: object, names = ["made"]) => {
    await at.scene.grant(names);
    const targets = names.map((name) => ({ namespace: at.scene.namespace, name }));
    const bindings = [{ targets, ...rules }];
    const relay = await startRelay(used.backend, { bindings });
    const sweep = async (input: object, more: { deletionGraceMs?: number } = {}) => {
      const sweeper = await startSweeper(used.backend, { bindings, ...more });
      return sweeper.sweep({ sweep: "metadata", ...input });
    };
    return { bindings, relay, sweep };
  };
  const notesOf = async (name = "made"): Promise<Record<string, string>> =>
    (await at.scene.readSecret(name)).metadata.annotations;

  describe("several sources", () => {
    it("of plain text make one connection string, which follows each of them", async () => {
      const user = await create("app\n");
      const password = await create("canary-7f3a9c1e-first\n");
      const { relay, sweep } = await open({
        sources: [
          { source: user.name, name: "user" },
          { source: password.name, name: "password" },
        ],
        keys: { URL: { template: "pg://{{ user | rstrip }}:{{ password | rstrip }}@db" } },
      });
      await relay.invoke(labelUpdated(used.backend, user));
      expect(await at.scene.readData("made")).toEqual({ URL: "pg://app:canary-7f3a9c1e-first@db" });

      await at.scene.rotate(password, "canary-7f3a9c1e-second\n");
      const report = await relay.invoke(labelUpdated(used.backend, password));

      expect(report.targets).toMatchObject([{ outcome: "written" }]);
      expect(await at.scene.readData("made")).toEqual({ URL: "pg://app:canary-7f3a9c1e-second@db" });
      expect(findingsIn(await sweep({ sweep: "values" }))).toEqual([]);
    });

    it("make one Secret, with the version of each source in its annotations", async () => {
      const db = await create({ password: "canary-7f3a9c1e-db", user: "app" });
      const license = await create("canary-7f3a9c1e-license");
      const { relay, sweep } = await open({
        sources: [
          { source: db.name, keys: { DB_PASSWORD: "password" } },
          { source: license.name, value: "license.txt" },
        ],
      });

      const report = await relay.invoke(labelUpdated(used.backend, license));

      expect(report.targets).toMatchObject([{ outcome: "written" }]);
      expect(await at.scene.readData("made")).toEqual({
        DB_PASSWORD: "canary-7f3a9c1e-db",
        "license.txt": "canary-7f3a9c1e-license",
      });
      expect(await notesOf()).toMatchObject({
        "secret-relay/source": `${db.arn},${license.arn}`,
        "secret-relay/source-versions": `${db.versionId} ${license.versionId}`,
      });
      expect(findingsIn(await sweep({}))).toEqual([]);
      expect(findingsIn(await sweep({ sweep: "values" }))).toEqual([]);
    });

    it("are each followed by their own events, and the version of the Secret changes each time", async () => {
      const [db, cache] = [await create({ a: "1" }), await create({ b: "1" })];
      const { relay } = await open({ sources: [{ source: db.name }, { source: cache.name }] });
      await relay.invoke(labelUpdated(used.backend, db));
      const versions = new Set([(await notesOf())["secret-relay/version-id"]]);

      for (const [source, value] of [
        [db, { a: "2" }],
        [cache, { b: "2" }],
      ] as const) {
        const next = await at.scene.rotate(source, JSON.stringify(value));
        await relay.invoke(labelUpdated(used.backend, next));
        versions.add((await notesOf())["secret-relay/version-id"]);
      }

      expect(await at.scene.readData("made")).toEqual({ a: "2", b: "2" });
      expect(versions.size).toBe(3);
    });

    it("with the same key are refused by name, unless collisions is last", async () => {
      const [one, two] = [await create({ a: "1", b: "1" }), await create({ a: "2" })];
      const { relay } = await open({ sources: [{ source: one.name }, { source: two.name }] });

      const [refused] = (await relay.invoke(labelUpdated(used.backend, one))).targets;

      expect(refused).toMatchObject({ outcome: "refused", code: "DATA_KEYS_COLLIDE" });
      expect(refused?.advice).toContain(`a (${one.name}, ${two.name})`);
      expect(await at.scene.readSecret("made")).toBeUndefined();
    });

    it("are merged in the order of the binding if the last one wins", async () => {
      const [one, two] = [await create({ a: "1", b: "1" }), await create({ a: "2" })];
      const { relay, sweep } = await open({
        sources: [{ source: one.name }, { source: two.name }],
        collisions: "last",
      });

      const [written] = (await relay.invoke(labelUpdated(used.backend, one))).targets;

      expect(await at.scene.readData("made")).toEqual({ a: "2", b: "1" });
      const collisions = [{ key: "a", sources: [one.name, two.name] }];
      expect(written).toMatchObject({ collisions });
      // In order, but still reported. Only a sweep by values finds it.
      const report = await sweep({ sweep: "values", plan: true });
      expect(report).toMatchObject({
        targets: [{ name: "made", finding: null, action: "none", collisions }],
      });
      await at.scene.deleteSecret("made");
      expect(findingsIn(await sweep({}))).toMatchObject([{ finding: "MISSING", collisions }]);
    });

    it("are refused if one of them lacks a key, and the refusal names it", async () => {
      const [one, two] = [await create({ a: "1" }), await create({ b: "2" })];
      const { relay } = await open({
        sources: [
          { source: one.name, keys: ["a"] },
          { source: two.name, keys: ["c"] },
        ],
      });

      const [refused] = (await relay.invoke(labelUpdated(used.backend, one))).targets;

      expect(refused).toMatchObject({ outcome: "refused", code: "SOURCE_KEY_MISSING" });
      expect(refused?.advice).toContain(`${two.arn} has no key c`);
    });

    it("keep the Secret if one of them is missing, also with deletionPolicy: delete", async () => {
      const [one, two] = [await create({ a: "1" }), await create({ b: "2" })];
      const { relay, sweep } = await open({
        sources: [{ source: one.name }, { source: two.name }],
        deletionPolicy: "delete",
      });
      await relay.invoke(labelUpdated(used.backend, one));
      await at.scene.grantDelete(["made"]);
      await at.scene.deleteSource(two);

      const report = await sweep({});

      expect(findingsIn(report)).toMatchObject([
        { finding: "SOURCE_MISSING", source: two.name, action: "refuse" },
      ]);
      await at.scene.deleteSource(one);
      const gone = { finding: "SOURCE_MISSING", source: `${one.name}, ${two.name}` };
      expect(findingsIn(await sweep({}))).toMatchObject([
        { ...gone, action: "none", deleteAfter: expect.any(String) },
      ]);
      expect(findingsIn(await sweep({}, { deletionGraceMs: 0 }))).toMatchObject([
        { ...gone, action: "delete", outcome: "deleted" },
      ]);
      expect(await at.scene.readSecret("made")).toBeUndefined();
    });

    it("are compared one by one: the sweep names the stale one and repairs it", async () => {
      const [one, two] = [await create({ a: "1" }), await create({ b: "1" })];
      const { relay, sweep } = await open({ sources: [{ source: one.name }, { source: two.name }] });
      await relay.invoke(labelUpdated(used.backend, one));
      const next = await at.scene.rotate(two, '{"b":"2"}');

      const report = await sweep({});

      expect(findingsIn(report)).toMatchObject([
        {
          finding: "STALE",
          source: `${one.name}, ${two.name}`,
          staleSources: [
            { source: two.name, liveVersionId: two.versionId, currentVersionId: next.versionId },
          ],
          outcome: "written",
        },
      ]);
      expect(await at.scene.readData("made")).toEqual({ a: "1", b: "2" });
      expect(findingsIn(await sweep({}))).toEqual([]);
    });
  });

  describe("a custom staging label", () => {
    it("is followed by its own events only", async () => {
      const source = await create({ a: "current" });
      const green = await at.scene.putUnder(["GREEN"], source, '{"a":"green"}');
      const { relay } = await open({ source: source.name, stage: "GREEN" });
      await relay.invoke(labelUpdated(used.backend, green, Date.now(), "GREEN"));
      expect(await at.scene.readData("made")).toEqual({ a: "green" });
      expect(await notesOf()).toMatchObject({
        "secret-relay/version-id": green.versionId,
        "secret-relay/source": source.arn,
      });
      expect(await notesOf()).not.toHaveProperty("secret-relay/source-versions");

      const report = await relay.invoke(labelUpdated(used.backend, source, Date.now(), "BLUE"));

      expect(report.targets).toEqual([]);
      expect(relay.logs.at(-1)).toEqual({ code: "EVENT_IGNORED", fields: { code: "OTHER_LABEL" } });
    });

    it("is checked by the sweep, by metadata and by values", async () => {
      const source = await create({ a: "current" });
      const first = await at.scene.putUnder(["GREEN"], source, '{"a":"green"}');
      const { relay, sweep } = await open({ source: source.name, stage: "GREEN" });
      await relay.invoke({ secretId: source.name });
      expect(findingsIn(await sweep({}))).toEqual([]);
      const second = await at.scene.putUnder(["GREEN"], source, '{"a":"greener"}');

      const planned = await sweep({ sweep: "values", plan: true });
      const swept = await sweep({});

      const details = { versionId: first.versionId, currentVersionId: second.versionId };
      expect(findingsIn(planned)).toMatchObject([{ finding: "STALE", ...details }]);
      expect(findingsIn(swept)).toMatchObject([{ finding: "STALE", ...details, outcome: "written" }]);
      expect(await at.scene.readData("made")).toEqual({ a: "greener" });
    });

    it("without a version keeps the Secret, and is reported", async () => {
      const source = await create({ a: "current" });
      const green = await at.scene.putUnder(["GREEN"], source, '{"a":"green"}');
      const { relay, sweep } = await open({
        source: source.name,
        stage: "GREEN",
        deletionPolicy: "delete",
      });
      await relay.invoke({ secretId: source.name });
      await at.scene.grantDelete(["made"]);
      await at.scene.moveLabel("GREEN", green, undefined);

      for (const mode of ["metadata", "values"]) {
        expect(findingsIn(await sweep({ sweep: mode }))).toMatchObject([
          { finding: "VERSION_MISSING", action: "refuse", code: "VERSION_MISSING" },
        ]);
      }

      expect(await at.scene.readData("made")).toEqual({ a: "green" });
    });
  });

  it("AWSPREVIOUS follows when AWSCURRENT moves, although it has no event", async () => {
    const first = await create({ a: "first" });
    const second = await at.scene.rotate(first, '{"a":"second"}');
    const { relay } = await open({ source: first.name, stage: "AWSPREVIOUS" });
    await relay.invoke(labelUpdated(used.backend, second));
    expect(await at.scene.readData("made")).toEqual({ a: "first" });

    const third = await at.scene.rotate(second, '{"a":"third"}');
    await relay.invoke(labelUpdated(used.backend, third));

    expect(await at.scene.readData("made")).toEqual({ a: "second" });
  });

  describe("a pinned version", () => {
    it("is written once by hand, and no event or sweep changes it", async () => {
      const first = await create({ a: "first" });
      const { relay, sweep } = await open({ source: first.name, versionId: first.versionId });
      await relay.invoke({ secretId: first.name });
      const second = await at.scene.rotate(first, '{"a":"second"}');

      const report = await relay.invoke(labelUpdated(used.backend, second));

      expect(report.targets).toEqual([]);
      expect(await at.scene.readData("made")).toEqual({ a: "first" });
      expect(findingsIn(await sweep({}))).toEqual([]);
      expect(findingsIn(await sweep({ sweep: "values" }))).toEqual([]);
      await at.scene.deleteSecret("made");
      expect(findingsIn(await sweep({}))).toMatchObject([{ finding: "MISSING", outcome: "written" }]);
      expect(await at.scene.readData("made")).toEqual({ a: "first" });
    });

    it("without a staging label is reported as deprecated, and still repaired", async () => {
      const first = await create({ a: "first" });
      const { relay, sweep } = await open({ source: first.name, versionId: first.versionId });
      await relay.invoke({ secretId: first.name });
      const second = await at.scene.rotate(first, '{"a":"second"}');
      await at.scene.rotate(second, '{"a":"third"}'); // AWSPREVIOUS leaves the first

      for (const mode of ["metadata", "values"]) {
        expect(findingsIn(await sweep({ sweep: mode }))).toMatchObject([
          { finding: "VERSION_DEPRECATED", source: first.name, action: "none" },
        ]);
      }
      await at.scene.deleteSecret("made");
      expect(findingsIn(await sweep({}))).toMatchObject([{ finding: "MISSING", outcome: "written" }]);
    });

    it("that does not exist is reported, and keeps the Secret", async () => {
      const source = await create({ a: "first" });
      const { relay, sweep } = await open({ source: source.name, versionId: randomUUID() });

      const [refused] = (await relay.invoke({ secretId: source.name })).targets;

      expect(refused).toMatchObject({ outcome: "refused", code: "VERSION_MISSING" });
      expect(refused?.advice).toContain("pinned version");
      expect(findingsIn(await sweep({ sweep: "values" }))).toMatchObject([
        { finding: "VERSION_MISSING", action: "refuse", code: "VERSION_MISSING" },
      ]);
    });

    it("among several sources stays, and the others are followed", async () => {
      const [license, db] = [await create("canary-7f3a9c1e-license"), await create({ a: "1" })];
      const { relay } = await open({
        sources: [
          { source: license.name, versionId: license.versionId, value: "license" },
          { source: db.name },
        ],
      });
      const newer = await at.scene.rotate(license, "canary-7f3a9c1e-newer");
      expect((await relay.invoke(labelUpdated(used.backend, newer))).targets).toEqual([]);

      const next = await at.scene.rotate(db, '{"a":"2"}');
      await relay.invoke(labelUpdated(used.backend, next));

      expect(await at.scene.readData("made")).toEqual({ license: "canary-7f3a9c1e-license", a: "2" });
    });
  });
}
