import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { MARK } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { type EsoVersion, esoScene } from "../harness/eso-scene.ts";
import { playOperator } from "../harness/operator.ts";
import { recordHistory } from "../harness/record-history.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const MANAGED = "reconcile.external-secrets.io/managed";
const DATA_HASH = "reconcile.external-secrets.io/data-hash";
/** kubectl sets it on the ExternalSecret, and the operator copies it to the Secret. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** import-eso from a live cluster, its --check, and the takeover of docs/migrate-from-eso.md, step by step. */
export function describeTakeoverContract(version: EsoVersion, start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let desk: Desk;
  beforeEach(() => {
    desk = openDesk(used.backend);
  });
  afterEach(() => desk.close());

  const first = { user: "app", password: `${MARK}-first` };
  const second = { user: "app", password: `${MARK}-second` };

  /** An ExternalSecret `db` in the operator's care. */
  const open = async (spec: object = {}) => {
    const eso = esoScene(used.backend, at.scene, version);
    const source = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, JSON.stringify(first));
    await eso.createStore("aws");
    const data = ["user", "password"].map((key) => ({
      secretKey: key,
      remoteRef: { key: source.name, property: key },
    }));
    await eso.createExternalSecret(
      "db",
      { secretStoreRef: { name: "aws" }, data, ...spec },
      { labels: { team: "shop" }, annotations: { owner: "payments", [LAST_APPLIED]: "{}" } },
    );
    const operator = playOperator(at.scene, version);
    await operator.reconcile("db", first);
    return { eso, source, operator };
  };
  const importLive = (...more: string[]) =>
    desk.runJson("import-eso", "--live", "--namespace", at.scene.namespace, ...more);
  const target = () => ({ namespace: at.scene.namespace, name: "db" });
  /** The commands of docs/migrate-from-eso.md that remove what the operator left. */
  const cleanUp = () =>
    at.scene.patchSecret("db", {
      metadata: { labels: { [MANAGED]: null }, annotations: { [DATA_HASH]: null, [LAST_APPLIED]: null } },
    });
  /** The step that `import-eso --check` shows for the Secret, in its JSON. */
  const checkStep = async () => {
    const { json } = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");
    const [{ step, externalSecret, leftovers, next }] = (json as { checked: [Record<string, unknown>] })
      .checked;
    return { step, externalSecret, leftovers, next };
  };
  const kubectlPatch = async (path: string, patch: object) => {
    const { status } = await at.scene.admin(path, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: patch,
    });
    expect(status).toBe(200);
  };
  const externalSecretPath = () =>
    `/apis/external-secrets.io/${version}/namespaces/${at.scene.namespace}/externalsecrets/db`;

  /** The documented takeover of `db`, up to a step that the check then shows. */
  const takeOver = async (
    { until }: { until: "taken" | "leftovers" | "finished" },
    { dataFrom = false }: { dataFrom?: boolean } = {},
  ) => {
    const opened = await open();
    if (dataFrom) {
      const extract = [{ extract: { key: opened.source.name } }];
      await kubectlPatch(externalSecretPath(), { spec: { data: [], dataFrom: extract } });
    }
    await importLive("--out", "bindings.yaml");
    await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Orphan" } } });
    await opened.operator.reconcile("db", first);
    expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);
    if (until !== "taken") await opened.operator.deleteExternalSecret("db");
    if (until === "finished") await cleanUp();
    expect(await checkStep()).toMatchObject({ step: until });
    return opened;
  };

  describe("secret-relay import-eso --live", () => {
    it("converts an ExternalSecret of the cluster by its store, with the name of the cluster", async () => {
      const { source } = await open();

      const { exitCode, json, stderr } = await importLive("--out", "bindings.yaml");

      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(json).toMatchObject({
        ok: true,
        converted: [
          {
            resource: `ExternalSecret ${at.scene.namespace}/db`,
            binding: {
              source: source.name,
              keys: { user: "user", password: "password" },
              labels: { team: "shop" },
              annotations: { owner: "payments" },
              targets: [target()],
            },
          },
        ],
        notConverted: [],
      });
      expect(desk.read("bindings.yaml")).toContain(`name: ${used.backend.kubernetes.clusterName}`);
    });

    it("compares the live Secret with the result of the binding, key by key, and shows no value", async () => {
      await open();
      const { namespace } = at.scene;
      const same = await importLive("--check");
      await at.scene.patchSecret("db", {
        data: { password: Buffer.from("changed by hand").toString("base64"), more: "" },
      });
      await at.scene.patchSecret("db", { data: { user: null } });

      const other = await importLive("--check");
      const shown = await desk.run("import-eso", "--live", "--namespace", namespace, "--check");

      expect(same).toMatchObject({
        exitCode: 0,
        json: { ok: true, checked: [{ target: target(), is: "same" }] },
      });
      expect(other).toMatchObject({
        exitCode: 1,
        json: {
          checked: [
            {
              is: "different",
              keys: [
                { key: "more", is: "extra" },
                { key: "password", is: "different" },
                { key: "user", is: "missing" },
              ],
              around: [],
            },
          ],
        },
      });
      expect(same.json).toMatchObject({
        converted: [{ notes: expect.arrayContaining([expect.objectContaining({ now: "unaffected" })]) }],
      });
      expect(shown.stderr).toMatch(/Notes that concern none of the present values\n {2}NUMBER_SPELLING \(/);
      expect(shown.stdout).toMatch(/db +owned +password +different/);
      expect(shown.stdout + shown.stderr + JSON.stringify(other)).not.toMatch(/changed by hand|canary/);
    });

    it("reports Secrets that are unknown or absent", async () => {
      const { source } = await open();
      await importLive("--out", "bindings.yaml");
      await at.scene.deleteSecret("db");
      const absent = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");
      const absentLive = await importLive("--check");
      await at.scene.createSecret("db", { a: "b" });
      await at.scene.deleteSource(source);

      const unknown = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");

      for (const { exitCode, json, stderr } of [absent, absentLive]) {
        expect([exitCode, json]).toMatchObject([1, { ok: false, checked: [{ is: "absent" }] }]);
        expect(stderr).toContain(
          `Nothing was compared, because no Secret of the bindings exists in namespace ${at.scene.namespace} of cluster `,
        );
      }
      expect(unknown).toMatchObject({
        exitCode: 1,
        json: {
          ok: false,
          checked: [{ is: "unknown", finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" }],
        },
      });
    });
  });

  describe("the takeover", () => {
    it("never deletes the Secret or changes its data, and removes one owner", async () => {
      const { operator, source } = await open();
      const { namespace } = at.scene;
      const history = await recordHistory(used.backend.kubernetes, namespace, "db");
      const before = await at.scene.readSecret("db");
      const owners: string[][] = [];
      const look = async () => {
        const { metadata } = await at.scene.readSecret("db");
        owners.push((metadata.ownerReferences ?? []).map(({ kind }: { kind: string }) => kind));
        expect(metadata.uid).toBe(before.metadata.uid);
        expect(await at.scene.readData("db")).toEqual(first);
      };
      await look();

      // 1. Bindings, and a look whether they make the same.
      await importLive("--out", "bindings.yaml");
      expect((await desk.run("import-eso", "--check", "--bindings", "bindings.yaml")).exitCode).toBe(0);
      // As long as the operator owns it, the relay does not write it, adopt or not.
      expect(await desk.runJson("sync", `${namespace}/db`)).toMatchObject({
        exitCode: 1,
        json: { targets: [{ outcome: "refused", code: "TARGET_OWNED_BY_CONTROLLER" }] },
      });
      await look();

      // 2. The operator lets go of it.
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Orphan" } } });
      expect(await operator.reconcile("db", first)).toBe(true);
      await look();

      // 3. The relay takes it.
      expect((await desk.run("sync", `${namespace}/db`)).exitCode).toBe(0);
      await look();
      // Until the ExternalSecret is gone both look after it, and agree.
      expect(await operator.reconcile("db", first)).toBe(false);
      await look();

      // 4. The ExternalSecret goes, and its annotations.
      await operator.deleteExternalSecret("db");
      await look();
      await cleanUp();
      await look();

      expect(owners).toEqual([["ExternalSecret"], ["ExternalSecret"], [], [], [], [], []]);
      const states = await history.stop();
      // The operator's letting go, the keys' change of owner, the relay's apply, the annotations: no other write, no deletion, one Secret, the same data.
      expect(states.map(({ type }) => type)).toEqual(["MODIFIED", "MODIFIED", "MODIFIED", "MODIFIED"]);
      expect(new Set(states.map(({ uid }) => uid))).toEqual(new Set([before.metadata.uid]));
      expect(new Set(states.map(({ data }) => JSON.stringify(data))).size).toBe(1);
      const after = await at.scene.readSecret("db");
      expect(after.metadata.labels).toMatchObject({
        team: "shop",
        "secret-relay/managed": relayMetadataOf(used.backend).identity,
      });
      // And from now on it follows its source.
      await at.scene.rotate(source, JSON.stringify(second));
      expect((await desk.run("sync", `${namespace}/db`)).exitCode).toBe(0);
      expect(await at.scene.readData("db")).toEqual(second);
    });

    it("does not lose a rotation that happens during it", async () => {
      const { operator, source } = await open();
      const { namespace } = at.scene;
      await importLive("--out", "bindings.yaml");
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Orphan" } } });
      await operator.reconcile("db", first);
      await desk.run("sync", `${namespace}/db`);

      await at.scene.rotate(source, JSON.stringify(second));
      expect((await desk.run("sync", `${namespace}/db`)).exitCode).toBe(0);
      await operator.reconcile("db", second);
      expect((await desk.run("sync", `${namespace}/db`)).exitCode).toBe(0);
      await operator.deleteExternalSecret("db");

      expect(await at.scene.readData("db")).toEqual(second);
    });

    it("is shown step by step, with what is left and the next command", async () => {
      const { operator } = await open();
      const { namespace } = at.scene;
      await importLive("--out", "bindings.yaml");
      const left = [`annotation ${LAST_APPLIED}`, `annotation ${DATA_HASH}`, `label ${MANAGED}`];

      expect(await checkStep()).toMatchObject({
        step: "owned",
        externalSecret: "exists",
        next: [
          "secret-relay publish # unless these bindings are published",
          `kubectl patch externalsecret db -n ${namespace} --type merge -p '{"spec":{"target":{"creationPolicy":"Orphan"}}}'`,
        ],
      });
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Orphan" } } });
      expect(await checkStep()).toMatchObject({
        step: "owned",
        next: [expect.stringMatching(/^secret-relay publish /), expect.stringMatching(/^wait /)],
      });
      await operator.reconcile("db", first);
      expect(await checkStep()).toMatchObject({
        step: "released",
        next: [`secret-relay sync ${namespace}/db`],
      });
      await desk.run("sync", `${namespace}/db`);
      expect(await checkStep()).toEqual({
        step: "taken",
        externalSecret: "exists",
        leftovers: left,
        next: [`kubectl delete externalsecret db -n ${namespace} # when every Secret you take over is taken`],
      });
      await operator.deleteExternalSecret("db");
      const shown = await desk.run("import-eso", "--check", "--bindings", "bindings.yaml");
      expect(shown.stdout).toMatch(/^SECRET +STEP +KEY +RESULT\n\S+db +leftovers +password +equal$/m);
      expect(await checkStep()).toEqual({
        step: "leftovers",
        externalSecret: "gone",
        leftovers: left,
        next: [
          `kubectl annotate secret db -n ${namespace} ${LAST_APPLIED}- ${DATA_HASH}-`,
          `kubectl label secret db -n ${namespace} ${MANAGED}-`,
        ],
      });
      await cleanUp();
      expect(await checkStep()).toEqual({
        step: "finished",
        externalSecret: "gone",
        leftovers: [],
        next: [],
      });
    });

    it("shows no next command while the Secret differs from its binding", async () => {
      await open();
      await importLive("--out", "bindings.yaml");
      await at.scene.patchSecret("db", { data: { password: "eA==" } });

      expect(await checkStep()).toMatchObject({ step: "owned", next: [] });
    });

    it("can be undone after the operator has let go", async () => {
      const { operator } = await open();
      await importLive("--out", "bindings.yaml");
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Orphan" } } });
      await operator.reconcile("db", first);

      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Owner" } } });
      await operator.reconcile("db", first);

      expect((await at.scene.readSecret("db")).metadata.ownerReferences).toHaveLength(1);
      expect(await checkStep()).toMatchObject({ step: "owned" });
    });

    it("can be undone after the ExternalSecret was deleted, by creating it again", async () => {
      const { operator, source, eso } = await takeOver({ until: "leftovers" });
      const data = ["user", "password"].map((key) => ({
        secretKey: key,
        remoteRef: { key: source.name, property: key },
      }));
      const target = { creationPolicy: "Orphan" };
      await eso.createExternalSecret("db", { secretStoreRef: { name: "aws" }, data, target });
      await operator.reconcile("db", first);
      expect(await checkStep()).toMatchObject({ step: "taken", externalSecret: "exists" });

      desk.writeBindings([]);
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Owner" } } });
      await at.scene.patchSecret("db", { metadata: { labels: { "secret-relay/managed": null } } });
      await operator.reconcile("db", second);

      const { metadata } = await at.scene.readSecret("db");
      expect([metadata.ownerReferences?.length, metadata.labels["secret-relay/managed"]]).toEqual([
        1,
        undefined,
      ]);
      expect(await at.scene.readData("db")).toEqual(second);
    });

    it("can be undone until the ExternalSecret is deleted", async () => {
      const { operator } = await takeOver({ until: "taken" });

      desk.writeBindings([]);
      await kubectlPatch(externalSecretPath(), { spec: { target: { creationPolicy: "Owner" } } });
      await operator.reconcile("db", second);

      const { metadata } = await at.scene.readSecret("db");
      expect(metadata.ownerReferences).toMatchObject([{ kind: "ExternalSecret", controller: true }]);
      expect(await at.scene.readData("db")).toEqual(second);
    });

    it("proves the check: an ExternalSecret that is deleted too early deletes its Secret", async () => {
      const { operator } = await open();

      await operator.deleteExternalSecret("db");

      expect(await at.scene.readSecret("db")).toBeUndefined();
    });
  });

  describe("the day after the takeover", () => {
    it("the relay alone owns the keys, the type, and the labels and annotations of the binding", async () => {
      await takeOver({ until: "finished" });

      const { metadata } = await at.scene.readSecret("db");
      const { labels, annotations, managedFields } = metadata;
      expect(JSON.stringify({ labels, annotations })).not.toMatch(/external-secrets|last-applied/);
      expect(managedFields.find(({ manager }: Entry) => manager === "secret-relay")).toMatchObject({
        operation: "Apply",
        fieldsV1: {
          "f:data": { "f:user": {}, "f:password": {} },
          "f:metadata": { "f:labels": { "f:team": {} }, "f:annotations": { "f:owner": {} } },
          "f:type": {},
        },
      });
      const others = managedFields.filter(({ manager }: Entry) => manager !== "secret-relay");
      // Of the maps themselves the operator stays an owner, which keeps nothing.
      const fields = others.flatMap(
        ({ fieldsV1 }: Entry) => JSON.stringify(fieldsV1).match(/"f:[^"]+"/g) ?? [],
      );
      expect(fields.filter((field: string) => !/^"f:(metadata|labels|annotations)"$/.test(field))).toEqual(
        [],
      );
    });

    it("status is green, plan and sweep find nothing, and the check says finished", async () => {
      await takeOver({ until: "finished" });

      expect(await desk.run("status")).toMatchObject({ exitCode: 0 });
      expect(await desk.runJson("plan")).toMatchObject({
        exitCode: 0,
        json: { targets: [{ finding: null, action: "none" }] },
      });
      expect(await desk.runJson("sweep", "--plan")).toMatchObject({
        exitCode: 0,
        json: { targets: [{ finding: null, action: "none" }] },
      });
      expect(await checkStep()).toMatchObject({ step: "finished", externalSecret: "gone" });
    });

    it.each(["finished", "leftovers"] as const)(
      "a key that the source drops disappears from the Secret; step %s",
      async (until) => {
        const { source } = await takeOver({ until }, { dataFrom: true });

        await at.scene.rotate(source, JSON.stringify({ password: second.password }));
        expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);

        expect(await at.scene.readData("db")).toEqual({ password: second.password });
      },
    );

    it("a label and an annotation that the binding drops disappear from the Secret", async () => {
      await takeOver({ until: "finished" });
      const bindings = desk.read("bindings.yaml");
      desk.write("bindings.yaml", bindings.replace(/^ +(labels|annotations):\n +(team|owner): .*\n/gm, ""));

      expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);

      const { labels, annotations } = (await at.scene.readSecret("db")).metadata;
      expect([labels.team, annotations.owner]).toEqual([undefined, undefined]);
    });

    it.each([
      ["a changed key", { data: { password: "eA==" } }],
      ["a deleted key", { data: { user: null } }],
      ["a changed label", { metadata: { labels: { team: "other" } } }],
      ["a deleted annotation", { metadata: { annotations: { owner: null } } }],
    ])("a sweep repairs drift: %s", async (_, patch) => {
      await takeOver({ until: "finished" });
      const before = await at.scene.readSecret("db");
      await at.scene.patchSecret("db", patch);

      const swept = await desk.run("sweep");

      const after = await at.scene.readSecret("db");
      expect([swept.exitCode, swept.stdout]).toEqual([0, expect.stringContaining("db")]);
      expect([after.data, after.metadata.labels]).toEqual([before.data, before.metadata.labels]);
      expect(after.metadata.annotations.owner).toBe("payments");
    });

    it("keys of a shared Secret that creationPolicy: Merge wrote belong to the relay alone", async () => {
      await at.scene.createSecret("db", { other: "kept" });
      const { operator, source } = await open({ target: { creationPolicy: "Merge" } });
      await importLive("--out", "bindings.yaml");
      expect(await checkStep()).toMatchObject({ step: "released" });

      expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);
      await operator.deleteExternalSecret("db");
      await cleanUp();

      expect(await checkStep()).toMatchObject({ step: "finished" });
      expect(await at.scene.readData("db")).toEqual({ ...first, other: "kept" });
      const managers = (await at.scene.readSecret("db")).metadata.managedFields as Entry[];
      const ownersOfPassword = managers.filter(({ fieldsV1 }) => "f:password" in (fieldsV1["f:data"] ?? {}));
      expect(ownersOfPassword.map(({ manager }) => manager)).toEqual(["secret-relay"]);
      await at.scene.rotate(source, JSON.stringify(second));
      expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);
      expect(await at.scene.readData("db")).toEqual({ ...second, other: "kept" });
    });
  });
}

type Entry = { manager: string; operation: string; fieldsV1: Record<string, object> };
