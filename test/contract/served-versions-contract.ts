import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { MARK } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { type EsoVersion, esoScene } from "../harness/eso-scene.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** `import-eso --live` and trigger mode on a cluster that serves one version of ESO's API. */
export function describeServedVersion(version: EsoVersion, start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let desk: Desk;
  beforeEach(() => {
    desk = openDesk(used.backend);
  });
  afterEach(() => desk.close());

  it("another version is not served", async () => {
    const other = version === "v1" ? "v1beta1" : "v1";
    expect((await at.scene.admin("/apis/external-secrets.io")).body.versions).not.toContainEqual(
      expect.objectContaining({ version: other }),
    );
    expect((await at.scene.admin(`/apis/external-secrets.io/${other}/externalsecrets`)).status).toBe(404);
  });

  it("import-eso --live converts each common form, with the defaults that the API server stores", async () => {
    const eso = esoScene(used.backend, at.scene, version);
    await eso.createStore("aws");
    const reads = (spec: object) => ({ secretStoreRef: { name: "aws" }, ...spec });
    const data = [{ secretKey: "password", remoteRef: { key: "prod/db", property: "password" } }];
    const forms: Readonly<Record<string, object>> = {
      picked: reads({ data }),
      extracted: reads({ dataFrom: [{ extract: { key: "prod/db" } }] }),
      rewritten: reads({
        dataFrom: [{ extract: { key: "prod/db" }, rewrite: [{ regexp: { source: "^db_", target: "" } }] }],
      }),
      templated: reads({
        data,
        target: { template: { type: "Opaque", data: { url: "https://{{ .password }}@db" } } },
      }),
      merged: reads({ data, target: { creationPolicy: "Merge" } }),
    };
    for (const [name, spec] of Object.entries(forms)) await eso.createExternalSecret(name, spec);

    const { exitCode, json } = await desk.runJson("import-eso", "--live", "--namespace", at.scene.namespace);

    expect(json).toMatchObject({ ok: true, notConverted: [] });
    expect((json as { converted: object[] }).converted).toHaveLength(Object.keys(forms).length);
    expect(exitCode).toBe(0);
  });

  it("trigger mode nudges an ExternalSecret of that version", async () => {
    const { backend } = used;
    const eso = esoScene(backend, at.scene, version);
    await eso.grant();
    const source = await at.scene.createSource(`prod/${randomUUID()}`, JSON.stringify({ password: MARK }));
    await eso.createStore("aws");
    const remoteRef = { key: source.name, property: "password" };
    await eso.createExternalSecret("app", {
      secretStoreRef: { name: "aws" },
      data: [{ secretKey: "password", remoteRef }],
    });
    const externalSecrets = { namespaces: [at.scene.namespace], deadlineSeconds: 1 };
    const clusters = { main: { ...pinnedCluster(backend), externalSecrets } };
    const relay = await startRelay(backend, { bindings: [], clusters, wait: eso.wait });

    await relay.invoke(labelUpdated(backend, source)).catch(() => {}); // without ESO no refresh follows

    expect(await eso.nudgeOf("ExternalSecret", "app")).toMatch(/./);
  });
}

/** The messages on a cluster without ESO's definitions. */
export function describeWithoutExternalSecrets(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let desk: Desk;
  beforeEach(() => {
    desk = openDesk(used.backend);
  });
  afterEach(() => desk.close());

  describe("without ESO's definitions", () => {
    it("import-eso --live says so, and how to go on", async () => {
      const { exitCode, stderr } = await desk.run("import-eso", "--live");

      expect([exitCode, stderr]).toEqual([
        2,
        expect.stringMatching(
          /^USAGE: Cluster \S+ does not serve external-secrets\.io: External Secrets Operator is not installed there\. Select another context with --context, or name manifest files\.$/m,
        ),
      ]);
    });

    it("trigger names the cluster and the setting, and ends with 1", async () => {
      const source = await at.scene.createSource(`prod/${randomUUID()}`, "{}");
      const externalSecrets = { namespaces: [at.scene.namespace] };
      desk.writeBindings([], { main: { ...pinnedCluster(used.backend), externalSecrets } });

      const { exitCode, stdout, stderr } = await desk.run("trigger", source.name);

      expect(exitCode).toBe(1);
      expect(stdout + stderr).toMatch(
        /Cluster main does not serve external-secrets\.io: External Secrets Operator is not installed there\. Install the operator, or remove externalSecrets from the cluster in the bindings\./,
      );
    });

    it("import-eso --check compares, and says that no ExternalSecret exists", async () => {
      const source = await at.scene.createSource(`prod/${randomUUID()}`, JSON.stringify({ password: MARK }));
      const target = { namespace: at.scene.namespace, name: "db" };
      desk.writeBindings([{ source: source.name, targets: [target] }]);
      expect((await desk.run("sync", `${at.scene.namespace}/db`)).exitCode).toBe(0);

      const { json } = await desk.runJson("import-eso", "--check", "--bindings", "bindings.yaml");

      expect(json).toMatchObject({ checked: [{ is: "same", step: "finished", externalSecret: "gone" }] });
    });
  });
}
