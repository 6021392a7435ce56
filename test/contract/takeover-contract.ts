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

const RELAY_METADATA = ["reconcile.external-secrets.io/managed", "reconcile.external-secrets.io/data-hash"];

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
      { labels: { team: "shop" } },
    );
    const operator = playOperator(at.scene, version);
    await operator.reconcile("db", first);
    return { eso, source, operator };
  };
  const importLive = (...more: string[]) =>
    desk.runJson("import-eso", "--live", "--namespace", at.scene.namespace, ...more);
  const target = () => ({ namespace: at.scene.namespace, name: "db" });
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
      expect(shown.stdout).toMatch(/db +password +different/);
      expect(shown.stdout + shown.stderr + JSON.stringify(other)).not.toMatch(/changed by hand|canary/);
    });

    it("reports Secrets that are unknown or absent", async () => {
      const { source } = await open();
      await importLive("--out", "bindings.yaml");
      await at.scene.deleteSecret("db");
      const absent = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");
      await at.scene.createSecret("db", { a: "b" });
      await at.scene.deleteSource(source);

      const unknown = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");

      expect(absent).toMatchObject({ exitCode: 0, json: { ok: true, checked: [{ is: "absent" }] } });
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
      await at.scene.patchSecret("db", {
        metadata: {
          labels: { [RELAY_METADATA[0] as string]: null },
          annotations: { [RELAY_METADATA[1] as string]: null },
        },
      });
      await look();

      expect(owners).toEqual([["ExternalSecret"], ["ExternalSecret"], [], [], [], [], []]);
      const states = await history.stop();
      // The operator's letting go, the keys' change of owner, the relay's apply, the annotations: no other write, no deletion, one Secret, the same data.
      expect(states.map(({ type }) => type)).toEqual(["MODIFIED", "MODIFIED", "MODIFIED", "MODIFIED"]);
      expect(new Set(states.map(({ uid }) => uid))).toEqual(new Set([before.metadata.uid]));
      expect(new Set(states.map(({ data }) => JSON.stringify(data))).size).toBe(1);
      const after = await at.scene.readSecret("db");
      expect(JSON.stringify(after.metadata.labels)).not.toContain("external-secrets");
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

    it("proves the check: an ExternalSecret that is deleted too early deletes its Secret", async () => {
      const { operator } = await open();

      await operator.deleteExternalSecret("db");

      expect(await at.scene.readSecret("db")).toBeUndefined();
    });
  });
}
