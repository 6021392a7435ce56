import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Backend } from "../harness/backend.ts";
import type { Manifest } from "../harness/printed-roles.ts";
import { labelUpdated, pinnedCluster, startRelay, startSweeper } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { runCli } from "../harness/run-cli.ts";
import type { TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const value = (text: string, key = "password") => JSON.stringify({ [key]: `canary-7f3a9c1e-${text}` });

/** Several installations in one cluster, and one cluster that is listed several times. */
export function describeSeveralRelaysContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const createSource = (text: string) => at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, text);
  const bindTo = (source: TestSource, name: string, more: object = {}) => ({
    source: source.name,
    targets: [{ namespace: at.scene.namespace, name }],
    ...more,
  });

  /** One installation with one binding, whose sweeps may list and delete, and wait for no grace period. */
  const open = async (relay: string, source: TestSource, name: string, more: object = {}) => {
    const options = { relay, bindings: [bindTo(source, name, more)] };
    const rotation = await startRelay(used.backend, options);
    const sweeper = await startSweeper(used.backend, { ...options, deletionGraceMs: 0 });
    return {
      invoke: async (event: unknown) => (await rotation.invoke(event)).targets,
      sweep: async (input: object) => (await sweeper.sweep(input)).targets,
    };
  };

  describe("two relays in one namespace, both with deletionPolicy: delete and the right to list", () => {
    const DELETE = { deletionPolicy: "delete" };

    it("do not see each other's Secrets in twenty rounds of sweeps and rotations", async () => {
      await at.scene.grant(["shop-db", "pay-db"], { mayList: true });
      await at.scene.grantDelete(["shop-db", "pay-db"]);
      let ofShop = await createSource(value("shop"));
      let ofPay = await createSource(value("pay"));
      const shop = await open("shop", ofShop, "shop-db", DELETE);
      const pay = await open("pay", ofPay, "pay-db", DELETE);
      await shop.invoke(labelUpdated(used.backend, ofShop));
      await pay.invoke(labelUpdated(used.backend, ofPay));
      const uids = async () =>
        Promise.all(
          ["shop-db", "pay-db"].map(async (name) => (await at.scene.readSecret(name)).metadata.uid),
        );
      const before = await uids();

      for (let round = 0; round < 20; round += 1) {
        const payState = await at.scene.readSecret("pay-db");
        ofShop = await at.scene.rotate(ofShop, value(`shop-${round}`));
        const mode = round % 2 === 0 ? "metadata" : "values";
        const written =
          round % 4 < 2 ? await shop.invoke({ secretId: ofShop.name }) : await shop.sweep({ sweep: mode });
        expect(written).toMatchObject([{ outcome: "written" }]);
        expect(await shop.sweep({ sweep: mode })).toEqual([]);
        expect(await at.scene.readSecret("pay-db")).toEqual(payState);

        const shopState = await at.scene.readSecret("shop-db");
        ofPay = await at.scene.rotate(ofPay, value(`pay-${round}`));
        expect(await pay.sweep({ sweep: mode })).toMatchObject([{ name: "pay-db", outcome: "written" }]);
        expect(await pay.sweep({ sweep: "metadata" })).toEqual([]);
        expect(await at.scene.readSecret("shop-db")).toEqual(shopState);
      }

      expect(await uids()).toEqual(before);
      expect(await at.scene.readData("shop-db")).toEqual({ password: "canary-7f3a9c1e-shop-19" });
      expect(await at.scene.readData("pay-db")).toEqual({ password: "canary-7f3a9c1e-pay-19" });
      const { labels } = (await at.scene.readSecret("pay-db")).metadata;
      const { managedLabel, identity } = relayMetadataOf(used.backend, "pay");
      expect(labels).toEqual({ [managedLabel]: identity });
    });

    it("refuse each other's Secret, adopt or not, and delete none when it is bound twice", async () => {
      await at.scene.grant(["db"], { mayList: true });
      await at.scene.grantDelete(["db"]);
      const [ofShop, ofPay] = [await createSource(value("shop")), await createSource(value("pay"))];
      const shop = await open("shop", ofShop, "db", DELETE);
      const pay = await open("pay", ofPay, "db", { ...DELETE, adopt: true });
      await shop.invoke({ secretId: ofShop.name });
      const before = await at.scene.readSecret("db");

      const [refused] = await pay.invoke({ secretId: ofPay.name });
      const [swept] = await pay.sweep({ sweep: "metadata" });
      await at.scene.deleteSource(ofPay);
      const gone = [await pay.sweep({ sweep: "metadata" }), await pay.sweep({ sweep: "values" })];

      expect(refused).toMatchObject({ outcome: "refused", code: "TARGET_OWNED_BY_ANOTHER_RELAY" });
      expect(swept).toMatchObject({ finding: "OWNED_BY_ANOTHER_RELAY", action: "refuse" });
      for (const rows of gone) expect(rows).toMatchObject([{ finding: "SOURCE_MISSING", action: "refuse" }]);
      expect(await at.scene.readSecret("db")).toEqual(before);
    });
  });

  describe("the Roles that `secret-relay rbac` prints for two relays in one namespace", () => {
    it("can coexist, and neither relay can read, write or delete the Secrets of the other", async () => {
      const { namespace, admin } = at.scene;
      const printed = async (relay: string) => {
        const binding = {
          source: `prod/${relay}`,
          deletionPolicy: "delete",
          targets: [{ namespace, name: `${relay}-db` }],
        };
        const clusters = { main: pinnedCluster(used.backend) };
        const file = JSON.stringify({ version: 1, relay, clusters, bindings: [binding] });
        return withFolder(async (folder) => {
          writeFileSync(join(folder, "bindings.yaml"), file);
          const { exitCode, stdout } = await runCli(["rbac"], { cwd: folder });
          expect(exitCode).toBe(0);
          return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
        });
      };
      for (const relay of ["shop", "pay"]) {
        for (const manifest of await printed(relay)) {
          const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${manifest.kind.toLowerCase()}s`;
          const { status } = await admin(path, { method: "POST", body: manifest });
          expect(status).toBe(201);
        }
      }
      const isAllowed = async (group: string, verb: string, name: string): Promise<boolean> => {
        const resourceAttributes = { namespace, resource: "secrets", verb, name };
        const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        const spec = { user: "role", groups: [group], resourceAttributes };
        const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
        return (await admin(path, { method: "POST", body })).body.status.allowed;
      };

      await expect.poll(() => isAllowed("pay", "delete", "pay-db"), { timeout: 5_000 }).toBe(true);
      const asked = ["shop", "pay"].flatMap((group) =>
        ["shop", "pay"].flatMap((owner) =>
          ["get", "create", "patch", "delete"].map((verb) => ({ group, owner, verb })),
        ),
      );
      for (const { group, owner, verb } of asked) {
        expect(await isAllowed(group, verb, `${owner}-db`), `${group} ${verb} ${owner}-db`).toBe(
          group === owner,
        );
      }
    });
  });

  describe("two relays on one Secret, with ownership: keys", () => {
    it("each keep their own keys, whatever the other does", async () => {
      await at.scene.grant(["db"], { mayList: true });
      let ofShop = await createSource(value("shop", "shop"));
      let ofPay = await createSource(value("pay", "pay"));
      const shop = await open("shop", ofShop, "db", { ownership: "keys" });
      const pay = await open("pay", ofPay, "db", { ownership: "keys" });

      for (let round = 0; round < 5; round += 1) {
        ofShop = await at.scene.rotate(ofShop, value(`shop-${round}`, "shop"));
        ofPay = await at.scene.rotate(ofPay, value(`pay-${round}`, "pay"));
        expect(await shop.invoke({ secretId: ofShop.name })).toMatchObject([{ outcome: "written" }]);
        expect(await pay.invoke({ secretId: ofPay.name })).toMatchObject([{ outcome: "written" }]);
        for (const relay of [shop, pay]) {
          expect(await relay.sweep({ sweep: "metadata" })).toEqual([]);
          expect(await relay.sweep({ sweep: "values" })).toEqual([]);
        }
        expect(await at.scene.readData("db")).toEqual({
          shop: `canary-7f3a9c1e-shop-${round}`,
          pay: `canary-7f3a9c1e-pay-${round}`,
        });
      }
      const { resourceVersion } = (await at.scene.readSecret("db")).metadata;
      expect(await shop.invoke({ secretId: ofShop.name })).toMatchObject([{ outcome: "unchanged" }]);
      expect(await pay.invoke({ secretId: ofPay.name })).toMatchObject([{ outcome: "unchanged" }]);
      expect((await at.scene.readSecret("db")).metadata.resourceVersion).toBe(resourceVersion);

      await at.scene.rotate(ofShop, value("renamed", "renamed"));
      await shop.invoke({ secretId: ofShop.name });
      expect(Object.keys((await at.scene.readData("db")) ?? {}).sort()).toEqual(["pay", "renamed"]);
    });
  });

  describe("two entries of the bindings for one API server", () => {
    const ALIASES = [
      { it: "with a slash at the end", alias: (endpoint: string) => `${endpoint}/` },
      { it: "by another host name", alias: (endpoint: string) => endpoint.replace("127.0.0.1", "localhost") },
      { it: "written alike", alias: (endpoint: string) => endpoint },
    ];

    it.each(ALIASES)(
      "$it are refused by their code, and nothing is deleted or written",
      async ({ alias }) => {
        await at.scene.grant(["one", "two"], { mayList: true });
        await at.scene.grantDelete(["one", "two"]);
        const [first, second] = [await createSource(value("one")), await createSource(value("two"))];
        const main = pinnedCluster(used.backend);
        const clusters = { again: { ...main, endpoint: alias(main.endpoint) } };
        const { namespace } = at.scene;
        const DELETE = { deletionPolicy: "delete" };
        const bindings = [
          { source: first.name, targets: [{ cluster: "main", namespace, name: "one" }], ...DELETE },
          { source: second.name, targets: [{ cluster: "again", namespace, name: "two" }], ...DELETE },
        ];
        // Each of them was written while it alone was listed.
        for (const [binding, source] of [
          [bindTo(first, "one", DELETE), first],
          [bindTo(second, "two", DELETE), second],
        ] as const) {
          await (await startRelay(used.backend, { bindings: [binding] })).invoke({ secretId: source.name });
        }
        const before = [await at.scene.readSecret("one"), await at.scene.readSecret("two")];
        expect(before).not.toContain(undefined);

        for (let round = 0; round < 3; round += 1) {
          const sweeper = await startSweeper(used.backend, { bindings, clusters, deletionGraceMs: 0 });
          const report = await sweeper.sweep({ sweep: "metadata" });
          const again = await sweeper.sweep({ sweep: "metadata" });
          const codes = [...report.targets, ...again.targets].map(({ code }) => code);
          expect(codes).toContain("CLUSTER_LISTED_TWICE");
          expect([...report.targets, ...again.targets].map(({ outcome }) => outcome)).not.toContain(
            "deleted",
          );
          expect(again.checked).toBe(0);
        }

        const present = [await at.scene.readSecret("one"), await at.scene.readSecret("two")];
        expect(present.map(({ metadata }) => metadata.uid)).toEqual(
          before.map(({ metadata }) => metadata.uid),
        );
        expect(present.map(({ data }) => data)).toEqual(before.map(({ data }) => data));
      },
    );

    it("are refused in a rotation too, once one of its Secrets was seen through both", async () => {
      await at.scene.grant(["one"], { mayList: true });
      const source = await createSource(value("one"));
      const main = pinnedCluster(used.backend);
      const clusters = { again: { ...main, endpoint: `${main.endpoint}/` } };
      const { namespace } = at.scene;
      await (await startRelay(used.backend, { bindings: [bindTo(source, "one")] })).invoke({
        secretId: source.name,
      });
      await at.scene.rotate(source, value("rotated"));
      const targets = ["main", "again"].map((cluster) => ({ cluster, namespace, name: "one" }));
      const relay = await startRelay(used.backend, {
        bindings: [{ source: source.name, targets }],
        clusters,
      });

      const outcomes = (await relay.invoke({ secretId: source.name })).targets;

      expect(outcomes.map(({ code }) => code)).toContain("CLUSTER_LISTED_TWICE");
    });
  });
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "relays-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
