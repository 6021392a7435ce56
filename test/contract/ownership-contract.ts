import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SyncCluster } from "../../shared/sync/sync-source.ts";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { encodeData, type TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const FIRST = '{"user":"app","password":"canary-7f3a9c1e-first"}';
const SECOND = '{"user":"app","password":"canary-7f3a9c1e-second"}';
const THIRD = '{"user":"app","password":"canary-7f3a9c1e-third"}';
const METADATA = { sweep: "metadata" };
const VALUES = { sweep: "values" };
const DAY_MS = 86_400_000;

/** What is the relay's, what is not, and what the relay does about edits, foreign keys, holds and sources that go. */
export function describeOwnershipContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const bindTo = (source: TestSource | string, more: object = {}) => ({
    source: typeof source === "string" ? source : source.name,
    targets: [{ namespace: at.scene.namespace, name: "db" }],
    ...more,
  });
  const createSource = (value = FIRST) => at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, value);
  /** The functions with these bindings, invoked as Lambda does. */
  const deploy = async (bindings: readonly object[]) => {
    const relay = await startRelay(used.backend, { bindings });
    return {
      logs: relay.logs,
      invoke: async (event: unknown) => (await relay.invoke(event)).targets,
      sweep: async (input: object, deletionGraceMs = DAY_MS) => {
        const sweeper = await startSweeper(used.backend, { bindings, deletionGraceMs });
        return (await sweeper.sweep(input)).targets;
      },
    };
  };
  const open = async (more: object = {}) => {
    await at.scene.grant(["db"], { mayList: true });
    await at.scene.grantDelete(["db"]);
    const source = await createSource();
    const deployed = await deploy([bindTo(source, more)]);
    expect(await deployed.invoke(labelUpdated(used.backend, source))).toMatchObject([{ outcome: "written" }]);
    return { source, ...deployed };
  };
  const edit = (manager = "kubectl-edit") =>
    at.scene.patchSecret("db", { data: encodeData({ password: "canary-7f3a9c1e-edited" }) }, manager);
  const ownersOfData = async (): Promise<string[]> => {
    const { metadata } = await at.scene.readSecret("db");
    return metadata.managedFields
      .filter(({ fieldsV1 }: { fieldsV1: object }) => "f:data" in fieldsV1)
      .map(({ manager, operation }: { manager: string; operation: string }) => `${manager} ${operation}`);
  };
  const annotationOf = async (purpose: "goneSince" | "takeBacks"): Promise<string | undefined> => {
    const { annotations } = relayMetadataOf(used.backend);
    return (await at.scene.readSecret("db")).metadata.annotations?.[annotations[purpose]];
  };

  describe("a value that was edited by hand", () => {
    it("is overwritten by the next rotation, without adopt, and the report and the log name the other manager", async () => {
      const { source, invoke, logs } = await open();
      await edit();
      const second = await at.scene.rotate(source, SECOND);

      const [done] = await invoke(labelUpdated(used.backend, second));

      expect(done).toMatchObject({
        outcome: "written",
        versionId: second.versionId,
        changes: [{ key: "password", what: "changed" }],
        fields: [{ field: "data.password", what: "changed", manager: "kubectl-edit" }],
      });
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
      const line = logs.filter(({ code }) => code === "TARGET_WRITTEN").at(-1);
      expect(JSON.stringify(line?.fields)).toContain("data.password changed by kubectl-edit");
      expect(await ownersOfData()).toEqual(["secret-relay Apply"]);
    });

    it("between the read and the write of an event that repeats the version is reverted, and nothing is refused", async () => {
      const { source } = await open();
      let edits = 0;
      const relay = await startRelay(used.backend, {
        bindings: [bindTo(source)],
        override: ({ connect }) => ({
          connect: (clusterKey): SyncCluster => {
            const cluster = connect(clusterKey);
            return {
              readSecret: (...secret) => cluster.readSecret(...secret),
              applySecret: async (...apply) => {
                edits += 1;
                if (edits === 1) await edit();
                return cluster.applySecret(...apply);
              },
              deleteSecret: (...secret) => cluster.deleteSecret(...secret),
              patchMetadata: (...patch) => cluster.patchMetadata(...patch),
            };
          },
        }),
      });

      const { targets } = await relay.invoke(labelUpdated(used.backend, source, Date.now() + 2_000));

      expect(targets).toMatchObject([{ outcome: "written", versionId: source.versionId }]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
      expect(await ownersOfData()).toEqual(["secret-relay Apply"]);
    });

    it("is reverted by a sweep, which names the other manager", async () => {
      const { sweep } = await open();
      await edit();
      expect(await sweep(METADATA)).toMatchObject([
        {
          finding: "TAMPERED",
          action: "update",
          outcome: "written",
          fields: [{ field: "data.password", what: "changed", manager: "kubectl-edit" }],
        },
      ]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
      expect(await sweep(METADATA)).toEqual([]);
    });

    it("is reverted three times within an hour, then kept until the next rotation", async () => {
      const { source, sweep, invoke } = await open();
      for (let round = 0; round < 3; round += 1) {
        await edit();
        expect(await sweep(round === 1 ? VALUES : METADATA)).toMatchObject([{ outcome: "written" }]);
      }
      expect((await annotationOf("takeBacks"))?.split(" ")).toHaveLength(3);
      await edit();

      const refused = { finding: "TAMPERED", action: "refuse", code: "CONTESTED" };
      expect(await sweep(METADATA)).toMatchObject([refused]);
      expect(await sweep(VALUES)).toMatchObject([
        { ...refused, advice: expect.stringContaining("kubectl-edit") },
      ]);
      expect(await invoke({ secretId: source.name })).toMatchObject([
        { outcome: "refused", code: "CONTESTED" },
      ]);
      expect(await at.scene.readData("db")).toMatchObject({ password: "canary-7f3a9c1e-edited" });

      const second = await at.scene.rotate(source, SECOND);
      expect(await invoke(labelUpdated(used.backend, second))).toMatchObject([{ outcome: "written" }]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
    });
  });

  describe("a Secret that an operator put on hold", () => {
    const hold = (until: string) =>
      at.scene.patchSecret(
        "db",
        { metadata: { annotations: { "secret-relay/hold-until": until } } },
        "kubectl-annotate",
      );
    const fromNow = (ms: number) => new Date(Date.now() + ms).toISOString();

    it("is skipped by sweeps and rotations, and is written once it is released", async () => {
      const { source, sweep, invoke } = await open();
      const until = fromNow(3_600_000);
      await hold(until);
      await edit();
      const second = await at.scene.rotate(source, SECOND);
      const before = await at.scene.readSecret("db");

      const held = { finding: "STALE", action: "refuse", code: "HELD", until };
      expect(await sweep(METADATA)).toMatchObject([held]);
      expect(await sweep(VALUES)).toMatchObject([held]);
      expect(await invoke(labelUpdated(used.backend, second))).toMatchObject([
        { outcome: "refused", code: "HELD" },
      ]);
      expect(await at.scene.readSecret("db")).toEqual(before);

      await at.scene.patchSecret("db", {
        metadata: { annotations: { "secret-relay/hold-until": null } },
      });
      expect(await sweep(METADATA)).toMatchObject([{ finding: "STALE", outcome: "written" }]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
    });

    it.each([
      { it: "has passed", until: () => fromNow(-1_000) },
      { it: "is more than a day ahead", until: () => fromNow(25 * 3_600_000) },
      { it: "is not a time", until: () => "tomorrow" },
    ])("until a time that $it is written", async ({ until }) => {
      const { source, invoke } = await open();
      await hold(until());
      const second = await at.scene.rotate(source, SECOND);
      expect(await invoke(labelUpdated(used.backend, second))).toMatchObject([{ outcome: "written" }]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
    });
  });

  describe("a key that the relay did not write", () => {
    const add = () =>
      at.scene.patchSecret("db", { data: encodeData({ extra: "canary-7f3a9c1e-extra" }) }, "kubectl-edit");
    const reported = { finding: "FOREIGN_KEYS", foreignKeys: [{ key: "extra", manager: "kubectl-edit" }] };

    it("is reported by name and manager, and stays through sweeps and rotations", async () => {
      const { source, sweep, invoke } = await open();
      await add();

      expect(await sweep(METADATA)).toMatchObject([{ ...reported, action: "none" }]);
      expect(await sweep(VALUES)).toMatchObject([{ ...reported, action: "none" }]);
      await at.scene.rotate(source, SECOND);
      expect(await invoke({ secretId: source.name })).toMatchObject([{ outcome: "written" }]);

      expect(await at.scene.readData("db")).toEqual({
        ...JSON.parse(SECOND),
        extra: "canary-7f3a9c1e-extra",
      });
      expect(await sweep(METADATA)).toMatchObject([{ ...reported, action: "none" }]);
    });

    it("is removed if the binding has foreignKeys: remove", async () => {
      const { source } = await open();
      await add();
      const { sweep } = await deploy([bindTo(source, { foreignKeys: "remove" })]);

      const [row] = await sweep(METADATA);

      expect(row).toMatchObject({ ...reported, action: "update", outcome: "written" });
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
      expect(await ownersOfData()).toEqual(["secret-relay Apply"]);
      expect(await sweep(METADATA)).toEqual([]);
      expect(await sweep(VALUES)).toEqual([]);
    });
  });

  describe("a Secret that External Secrets Operator left", () => {
    const OPERATOR = "externalsecrets.external-secrets.io/db";
    const createAsOperator = async (data: Record<string, string>) => {
      const path = `/api/v1/namespaces/${at.scene.namespace}/secrets?fieldManager=${encodeURIComponent(OPERATOR)}`;
      const metadata = {
        name: "db",
        labels: { "reconcile.external-secrets.io/managed": "true" },
        annotations: { "reconcile.external-secrets.io/data-hash": "0f1e2d3c" },
      };
      const body = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata, data: encodeData(data) };
      expect((await at.scene.admin(path, { method: "POST", body })).status).toBe(201);
      expect(await ownersOfData()).toEqual([`${OPERATOR} Update`]);
    };

    it("belongs only to the relay after the adoption, and a key that a later rotation drops is removed", async () => {
      await at.scene.grant(["db"], { mayList: true });
      const values = { user: "app", password: "canary-7f3a9c1e-first", old: "canary-7f3a9c1e-old" };
      await createAsOperator(values);
      const source = await createSource(JSON.stringify(values));
      const { invoke, sweep } = await deploy([bindTo(source, { adopt: true })]);

      expect(await invoke({ secretId: source.name })).toMatchObject([{ outcome: "written" }]);

      expect(await ownersOfData()).toEqual(["secret-relay Apply"]);
      expect(await at.scene.readData("db")).toEqual(values);
      expect(await sweep(METADATA)).toEqual([]);
      expect(await sweep(VALUES)).toEqual([]);
      const second = await at.scene.rotate(source, SECOND);
      expect(await invoke(labelUpdated(used.backend, second))).toMatchObject([
        {
          outcome: "written",
          changes: expect.arrayContaining([{ key: "old", what: "removed" }]),
        },
      ]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
      expect(await ownersOfData()).toEqual(["secret-relay Apply"]);
    });

    it("loses at the adoption a key of the operator that the source no longer has", async () => {
      await at.scene.grant(["db"], { mayList: true });
      await createAsOperator({ user: "app", password: "canary-7f3a9c1e-first", old: "canary-7f3a9c1e-old" });
      await at.scene.patchSecret("db", { data: encodeData({ extra: "canary-7f3a9c1e-extra" }) });
      const source = await createSource();
      const { invoke, sweep } = await deploy([bindTo(source, { adopt: true })]);

      await invoke({ secretId: source.name });

      expect(await at.scene.readData("db")).toEqual({
        ...JSON.parse(FIRST),
        extra: "canary-7f3a9c1e-extra",
      });
      expect(await sweep(METADATA)).toMatchObject([
        {
          finding: "FOREIGN_KEYS",
          action: "none",
          foreignKeys: [{ key: "extra", manager: "kubectl-patch" }],
        },
      ]);
    });

    it("is refused without adopt, by its code", async () => {
      await at.scene.grant(["db"], { mayList: true });
      await createAsOperator({ password: "canary-7f3a9c1e-theirs" });
      const source = await createSource();
      const { invoke } = await deploy([bindTo(source)]);
      expect(await invoke({ secretId: source.name })).toMatchObject([
        { outcome: "refused", code: "TARGET_OWNED_BY_EXTERNAL_SECRETS" },
      ]);
      expect(await ownersOfData()).toEqual([`${OPERATOR} Update`]);
    });
  });

  describe("a source that is gone, under deletionPolicy: delete", () => {
    const DELETE = { deletionPolicy: "delete" };

    it("is recorded by the first sweep, and its Secret is deleted by a sweep after the grace period", async () => {
      const { source, sweep } = await open(DELETE);
      await at.scene.deleteSource(source);

      const [first] = await sweep(METADATA);
      expect(first).toMatchObject({ finding: "SOURCE_MISSING", action: "none" });
      const noted = await annotationOf("goneSince");
      expect(Date.parse(first?.deleteAfter ?? "")).toBeCloseTo(Date.parse(noted ?? "") + DAY_MS, -4);
      expect(await sweep(METADATA)).toMatchObject([{ finding: "SOURCE_MISSING", action: "none" }]);
      expect(await sweep(VALUES)).toMatchObject([{ finding: "SOURCE_MISSING", action: "none" }]);
      expect(await annotationOf("goneSince")).toBe(noted); // the time of the first look counts
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));

      expect(await sweep(METADATA, 1)).toMatchObject([{ action: "delete", outcome: "deleted" }]);
      expect(await at.scene.readSecret("db")).toBeUndefined();
    });

    it("is never deleted by the first sweep", async () => {
      const { source, sweep } = await open(DELETE);
      await at.scene.deleteSource(source);
      expect(await sweep(METADATA, 1)).toMatchObject([{ action: "none", deleteAfter: expect.any(String) }]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
    });

    it.each([METADATA, VALUES])("that comes back clears the note: %j", async (look) => {
      const { source, sweep } = await open(DELETE);
      await at.scene.deleteSource(source);
      await sweep(METADATA);
      expect(await annotationOf("goneSince")).toBeDefined();
      const again = await at.scene.createSource(source.name, FIRST);
      await sweep(look);
      expect(await annotationOf("goneSince")).toBeUndefined();
      await at.scene.deleteSource(again);
      expect(await sweep(METADATA, 1)).toMatchObject([{ action: "none" }]); // the grace period starts again
    });

    it("that comes back with a rotation clears the note too", async () => {
      const { source, sweep, invoke } = await open(DELETE);
      await at.scene.deleteSource(source);
      await sweep(METADATA);
      const again = await at.scene.createSource(source.name, SECOND);
      expect(await invoke(labelUpdated(used.backend, again))).toMatchObject([{ outcome: "written" }]);
      expect(await annotationOf("goneSince")).toBeUndefined();
      expect(await at.scene.readData("db")).toEqual(JSON.parse(SECOND));
    });

    it("and is misspelt in new bindings keeps its Secret, and is reported", async () => {
      const { source } = await open(DELETE);
      const { sweep } = await deploy([bindTo(`${source.name}-misspelt`, DELETE)]);
      for (const look of [METADATA, METADATA, VALUES]) {
        expect(await sweep(look, 0)).toMatchObject([
          { finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
        ]);
      }
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
      expect(await annotationOf("goneSince")).toBeUndefined();
    });

    it("and was recreated without a value keeps its Secret, until the value comes", async () => {
      const { source, sweep, invoke } = await open(DELETE);
      await at.scene.deleteSource(source);
      await at.scene.createEmptySource(source.name);
      for (const look of [METADATA, METADATA, VALUES]) {
        expect(await sweep(look, 0)).toMatchObject([
          { finding: "SOURCE_WITHOUT_VALUE", action: "refuse", code: "SOURCE_WITHOUT_VALUE" },
        ]);
      }
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));

      const back = await at.scene.rotate({ ...source, arn: source.name }, THIRD);
      expect(await invoke({ secretId: source.name })).toMatchObject([
        { outcome: "written", versionId: back.versionId },
      ]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(THIRD));
    });

    it("deletes nothing where the bindings come from a local file", async () => {
      const { source, sweep } = await open(DELETE);
      await at.scene.deleteSource(source);
      await sweep(METADATA);
      const sweeper = await startSweeper(used.backend, {
        bindings: [bindTo(source, DELETE)],
        override: ({ settings }) => ({ settings: { ...settings, mayDelete: false, deletionGraceMs: 1 } }),
      });
      expect((await sweeper.sweep(METADATA)).targets).toMatchObject([
        { action: "delete", outcome: "held-back", code: "LOCAL_BINDINGS" },
      ]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
    });

    it("and an older local file, which lacks a binding, neither note nor delete its Secret", async () => {
      const { source } = await open(DELETE);
      const other = await createSource();
      await at.scene.grantMore("other", ["other"]);
      const yesterday = [{ source: other.name, targets: [{ namespace: at.scene.namespace, name: "other" }] }];
      const sweeper = await startSweeper(used.backend, {
        bindings: yesterday,
        override: ({ settings }) => ({ settings: { ...settings, mayDelete: false, deletionGraceMs: 0 } }),
      });
      for (let look = 0; look < 2; look += 1) {
        const { targets } = await sweeper.sweep(METADATA);
        const orphan = targets.find(({ name }) => name === "db");
        expect(orphan).toMatchObject({ finding: "ORPHAN", source: source.arn });
        expect(orphan).not.toHaveProperty("outcome", "deleted");
      }
      expect(await annotationOf("goneSince")).toBeUndefined();
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
    });
  });

  describe("an immutable Secret with onChange: refuse", () => {
    it("whose source rotates is refused by plans, sweeps and rotations alike", async () => {
      const { source, sweep, invoke } = await open({ immutable: true, onChange: "refuse" });
      const second = await at.scene.rotate(source, SECOND);

      const refused = { finding: "IMMUTABLE", action: "refuse", code: "TARGET_IMMUTABLE" };
      for (const look of [METADATA, VALUES]) {
        expect(await sweep({ ...look, plan: true })).toMatchObject([refused]);
        expect(await sweep(look)).toMatchObject([refused]);
      }
      expect(await invoke(labelUpdated(used.backend, second))).toMatchObject([
        { outcome: "refused", code: "TARGET_IMMUTABLE" },
      ]);
      expect(await at.scene.readData("db")).toEqual(JSON.parse(FIRST));
    });
  });
}
