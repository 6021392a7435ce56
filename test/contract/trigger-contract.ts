import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RotationReport } from "../../functions/rotation/settle.ts";
import { credentialsOf } from "../harness/aws-clients.ts";
import type { Backend } from "../harness/backend.ts";
import { newCanary } from "../harness/canary.ts";
import { openDesk } from "../harness/command-line.ts";
import { type EsoVersion, esoScene } from "../harness/eso-scene.ts";
import { mintTestToken } from "../harness/mint-test-token.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/**
 * Trigger mode, on the sandbox and on a real kube-apiserver with ESO's CRDs, where an API version of ExternalSecrets is
 * served. The nudged objects are observed without ESO; the results of a nudge, with a stand-in for ESO.
 */
export function describeTriggerContract(version: EsoVersion, start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  const open = async ({ deadlineSeconds = 10, bindings = [], isAllowed = true }: Options = {}) => {
    const { backend } = used;
    const eso = esoScene(backend, at.scene, version);
    if (isAllowed) await eso.grant();
    const source = await at.scene.createSource(`prod/db-${randomUUID().slice(0, 8)}`, textOf("first"));
    const externalSecrets = { namespaces: [at.scene.namespace], deadlineSeconds };
    const clusters = { main: { ...pinnedCluster(backend), externalSecrets } };
    const ofTest = typeof bindings === "function" ? bindings(source, at.scene.namespace) : bindings;
    const relay = await startRelay(backend, { bindings: ofTest, clusters, wait: eso.wait });
    const notify = (about: TestSource) => relay.invoke(labelUpdated(backend, about));
    return { backend, eso, source, relay, notify };
  };

  describe("a nudged object", () => {
    it("is one that references the source, in any spelling", async () => {
      const { eso, source, notify } = await open({ deadlineSeconds: 1 });
      const { name, arn } = source;
      const rest = name.slice("prod/".length);
      const account = used.backend.aws.accountId;
      await eso.createStore("plain");
      await eso.createStore("prefixed", { prefix: "prod/" });
      await eso.createStore("elsewhere", { region: "ap-southeast-2" });
      await eso.createStore("own-role", { role: `arn:aws:iam::${account}:role/eso` });
      await eso.createStore("foreign-role", { role: "arn:aws:iam::999988887777:role/eso" });
      await eso.createStore("parameters", { service: "ParameterStore" });
      const ofCluster = `cluster-${randomUUID().slice(0, 8)}`;
      await eso.createStore(ofCluster, { prefix: "prod/" }, { kind: "ClusterSecretStore" });
      const cases: readonly [name: string, isNudged: boolean, spec: object][] = [
        ["by-name", true, reads(name)],
        ["by-arn", true, reads(arn)],
        ["by-partial-arn", true, reads(arn.slice(0, -7))],
        ["by-stage", true, reads(name, { version: "AWSCURRENT" })],
        ["extracted", true, { secretStoreRef: { name: "plain" }, dataFrom: [{ extract: { key: name } }] }],
        [
          "extracted-by-arn",
          true,
          { secretStoreRef: { name: "plain" }, dataFrom: [{ extract: { key: arn } }] },
        ],
        ["by-prefix-and-name", true, reads(rest, {}, { name: "prefixed" })],
        ["of-cluster-store", true, reads(rest, {}, { name: ofCluster, kind: "ClusterSecretStore" })],
        ["in-role-account", true, reads(name, {}, { name: "own-role" })],
        [
          "by-own-store",
          true,
          {
            secretStoreRef: { name: "plain" },
            data: [{ ...entry(rest), sourceRef: { storeRef: { name: "prefixed" } } }],
          },
        ],
        [
          "extracted-by-own-store",
          true,
          { dataFrom: [{ extract: { key: rest }, sourceRef: { storeRef: { name: "prefixed" } } }] },
        ],
        ["found-by-name", true, finds({ name: { regexp: "^prod/db-" } })],
        ["found-by-path", true, finds({ path: "prod/", name: { regexp: rest } })],
        ["found-by-tag", true, finds({ tags: { team: "shop" } })],
        ["found-by-tags", true, finds({ tags: { team: "orders", stage: "shop" } })],
        ["found-by-both", true, finds({ name: { regexp: "db" }, tags: { team: "shop" } })],
        ["by-webhook-id", true, reads("another")],
        ["by-another-name", false, reads(`${name}-2`)],
        ["by-half-a-name", false, reads(rest)],
        ["by-foreign-arn", false, reads(arn.replace(account, "999988887777"))],
        ["by-region-arn", false, reads(arn.replace(used.backend.aws.region, "ap-southeast-2"))],
        ["by-pinned-version", false, reads(name, { version: `uuid/${source.versionId}` })],
        ["prefix-twice", false, reads(name, {}, { name: "prefixed" })],
        ["in-other-region", false, reads(name, {}, { name: "elsewhere" })],
        ["in-other-account", false, reads(name, {}, { name: "foreign-role" })],
        ["of-other-service", false, reads(name, {}, { name: "parameters" })],
        ["not-found-by-name", false, finds({ name: { regexp: "^staging/" } })],
        ["not-found-by-path", false, finds({ path: "staging/", name: { regexp: ".*" } })],
        ["not-found-by-tag", false, finds({ tags: { team: "billing" } })],
        ["not-found-by-both", false, finds({ name: { regexp: "^x" }, tags: { team: "shop" } })],
        ["by-other-webhook-id", false, reads("another")],
        [
          "generated",
          false,
          { dataFrom: [{ sourceRef: { generatorRef: { kind: "Password", name: "p" } } }] },
        ],
      ];
      for (const [each, , spec] of cases) await eso.createExternalSecret(each, spec, metadataOf(each, name));
      await eso.tag(source, { team: "shop", stage: "orders" });

      await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

      const wanted = cases.filter(([, isNudged]) => isNudged).map(([each]) => each);
      expect(await eso.nudged("ExternalSecret")).toEqual(wanted.sort());
    });

    it("is an ExternalSecret of a ClusterExternalSecret, together with its owner, which would revert the nudge", async () => {
      const { eso, source, notify } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain");
      const makers = ["maker", "called", "other"].map((each) => `${each}-${randomUUID().slice(0, 8)}`);
      const [maker = "", called = "", other = ""] = makers;
      const make = async (name: string, by: string, spec: object, annotations = {}) => {
        const { uid } = await eso.createClusterExternalSecret(by, { annotations });
        const owner = { apiVersion: `external-secrets.io/${version}`, kind: "ClusterExternalSecret" };
        await eso.createExternalSecret(name, spec, {
          ownerReferences: [{ ...owner, name: by, uid, controller: true }],
        });
      };
      await make("made", maker, reads(source.name));
      await make("called", called, reads("another"), { [WEBHOOK_ID]: source.name });
      await make("other", other, reads("another"));

      await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

      expect(await eso.nudged("ExternalSecret")).toEqual(["called", "made"]);
      const nudges = await Promise.all(makers.map((each) => eso.nudgeOf("ClusterExternalSecret", each)));
      expect(nudges.map((nudge) => nudge !== undefined)).toEqual([true, true, false]);
      expect(nudges[0]).toBe(await eso.nudgeOf("ExternalSecret", "made"));
    });

    it("is not a ClusterExternalSecret that an ownerReference falsely names as its owner", async () => {
      const { eso, source, notify } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain");
      const claim = async (name: string, spec: object, change: object) => {
        const by = `maker-of-${name}-${randomUUID().slice(0, 8)}`;
        const { uid } = await eso.createClusterExternalSecret(by, {
          annotations: { [WEBHOOK_ID]: source.name },
        });
        const apiVersion = `external-secrets.io/${version}`;
        const owner = { apiVersion, kind: "ClusterExternalSecret", name: by, uid, controller: true };
        await eso.createExternalSecret(name, spec, { ownerReferences: [{ ...owner, ...change }] });
        return by;
      };
      const claimed = [
        await claim("other-uid", reads(source.name), { uid: randomUUID() }),
        await claim("other-group", reads(source.name), { apiVersion: "apps/v1" }),
        await claim("similar-group", reads(source.name), {
          apiVersion: "external-secrets.io.example.com/v1",
        }),
        await claim("other-kind", reads(source.name), { kind: "ExternalSecret" }),
        await claim("not-controller", reads(source.name), { controller: false }),
        await claim("id-by-other-uid", reads("another"), { uid: randomUUID() }),
      ];

      await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

      const nudged = ["not-controller", "other-group", "other-kind", "other-uid", "similar-group"];
      expect(await eso.nudged("ExternalSecret")).toEqual(nudged);
      const nudges = await Promise.all(claimed.map((each) => eso.nudgeOf("ClusterExternalSecret", each)));
      expect(nudges).toEqual(claimed.map(() => undefined));
    });

    it("is one with the webhook id of a call", async () => {
      const { eso, relay } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain");
      const annotations = { [WEBHOOK_ID]: "shop-database" };
      await eso.createExternalSecret("called", reads("any"), { annotations });
      await eso.createExternalSecret("not-called", reads("any"));

      await expect(relay.invoke({ webhookId: "shop-database" })).rejects.toMatchObject({
        code: "SYNC_INCOMPLETE",
      });

      expect(await eso.nudged("ExternalSecret")).toEqual(["called"]);
    });

    it("is not sent if ESO would ignore it, and the reason is reported", async () => {
      const { eso, source, relay, notify } = await open();
      await eso.createStore("plain");
      await eso.createExternalSecret("interval-0", { ...reads(source.name), refreshInterval: "0s" });
      await eso.createExternalSecret("created-once", { ...reads(source.name), refreshPolicy: "CreatedOnce" });
      const generated = { dataFrom: [{ sourceRef: { generatorRef: { kind: "Password", name: "p" } } }] };
      await eso.createExternalSecret("generated", generated, { annotations: { [WEBHOOK_ID]: source.name } });
      for (const name of ["interval-0", "created-once"]) {
        await eso.writeStatus("ExternalSecret", name, { ...SYNCED, syncedResourceVersion: "1-abc" });
      }

      const report = await notify(source);

      expect(resultsOf(report)).toEqual({
        "ExternalSecret/created-once": "ignored REFRESH_CREATED_ONCE",
        "ExternalSecret/generated": "ignored GENERATOR_ONLY",
        "ExternalSecret/interval-0": "ignored REFRESH_DISABLED",
      });
      expect(await eso.nudged("ExternalSecret")).toEqual([]);
      const logged = relay.logs.filter(({ code }) => code === "EXTERNAL_SECRET_IGNORED");
      expect(logged.map(({ fields }) => fields.code).sort()).toEqual([
        "GENERATOR_ONLY",
        "REFRESH_CREATED_ONCE",
        "REFRESH_DISABLED",
      ]);
    });
  });

  describe("a nudge", () => {
    it("makes ESO refresh at once, and is done when it has", async () => {
      const { eso, source, relay, notify } = await open();
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", { ...reads(source.name), target: { name: "shop-db" } });
      const controller = eso.startEso();
      await seen(async () => (await at.scene.readData("shop-db"))?.password !== undefined);
      const password = newCanary();
      const second = await at.scene.rotate(source, JSON.stringify({ password }));
      expect(await at.scene.readData("shop-db")).toEqual({ password: "first" });

      const report = await notify(second);
      await controller.stop();

      expect(resultsOf(report)).toEqual({ "ExternalSecret/shop": "refreshed" });
      expect(report.targets).toEqual([]);
      expect(await at.scene.readData("shop-db")).toEqual({ password });
      expect(await eso.nudgeOf("ExternalSecret", "shop")).toContain(second.versionId);
      const metrics = relay.metrics.map(({ name }) => name);
      expect(metrics).toContain("ExternalSecretsRefreshed");
      expect(metrics).toContain("ExternalSecretRefreshLatency");
    });

    it("is sent once for a repeated event, sequential or concurrent", async () => {
      const { backend, eso, source, relay } = await open();
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", reads(source.name));
      const controller = eso.startEso();
      await seen(async () => controller.refreshes === 1);
      const event = labelUpdated(backend, source);

      const both = await Promise.all([relay.invoke(event), relay.invoke(event)]);
      const afterBoth = await eso.read("ExternalSecret", "shop");
      const later = await relay.invoke(event);
      const afterLater = await eso.read("ExternalSecret", "shop");
      const another = await relay.invoke(labelUpdated(backend, source));
      const afterAnother = await eso.nudgeOf("ExternalSecret", "shop");
      await controller.stop();

      for (const report of both)
        expect(resultsOf(report)["ExternalSecret/shop"]).toMatch(/refreshed|already/);
      expect(resultsOf(later)).toEqual({ "ExternalSecret/shop": "already" });
      expect(afterLater.metadata.resourceVersion).toBe(afterBoth.metadata.resourceVersion);
      expect(resultsOf(another)).toEqual({ "ExternalSecret/shop": "refreshed" });
      expect(afterAnother).not.toBe(afterBoth.metadata.annotations[NUDGE]);
      expect(controller.refreshes).toBe(3);
    });

    it("is retried while ESO reports an error, and the reason is reported", async () => {
      const { eso, source, relay, notify } = await open({ deadlineSeconds: 7 });
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", reads(source.name));
      const message = `could not: ${newCanary()}`;
      const failed = { type: "Ready", status: "False", reason: "SecretSyncedError", message };
      await eso.writeStatus("ExternalSecret", "shop", { conditions: [failed] });

      await expect(notify(source)).rejects.toMatchObject({
        message: expect.stringContaining("EXTERNAL_SECRET_SYNC_FAILED"),
      });

      const { fields } = relay.logs.find(({ code }) => code === "EXTERNAL_SECRET_FAILED") ?? {};
      expect(fields).toMatchObject({
        code: "EXTERNAL_SECRET_SYNC_FAILED",
        reason: "SecretSyncedError",
        nudges: 2,
      });
      expect(await eso.nudgeOf("ExternalSecret", "shop")).toMatch(/\/2$/);
    });

    it("reports a store that is not ready, and succeeds on a retry once it is", async () => {
      const { backend, eso, source, relay } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain", {}, { isReady: false });
      await eso.createExternalSecret("shop", reads(source.name));
      const controller = eso.startEso();
      const event = labelUpdated(backend, source);

      await expect(relay.invoke(event)).rejects.toMatchObject({
        message: expect.stringContaining("EXTERNAL_SECRET_STORE_NOT_READY"),
      });
      await eso.writeStatus("SecretStore", "plain", { conditions: [{ type: "Ready", status: "True" }] });
      const repeated = await eventually(() => relay.invoke(event));
      await controller.stop();

      expect(resultsOf(repeated)["ExternalSecret/shop"]).toMatch(/refreshed|already/);
    });

    it("fails by name if no refresh follows", async () => {
      const { eso, source, relay, notify } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", reads(source.name));

      await expect(notify(source)).rejects.toMatchObject({
        message: expect.stringContaining("EXTERNAL_SECRET_NOT_REFRESHED"),
      });

      expect(relay.metrics).toContainEqual({
        name: "ExternalSecretsFailed",
        value: 1,
        code: "EXTERNAL_SECRET_NOT_REFRESHED",
      });
    });
  });

  describe("a PushSecret", () => {
    const pushes = (secret: string, remoteKey: string) => ({
      secretStoreRefs: [{ name: "plain", kind: "SecretStore" }],
      selector: { secret: { name: secret } },
      data: [{ match: { secretKey: "password", remoteRef: { remoteKey } } }],
    });

    it("is nudged if it pushes the refreshed Secret, and never if that would undo the change", async () => {
      const { eso, source, notify } = await open({ deadlineSeconds: 1 });
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", { ...reads(source.name), target: { name: "shop-db" } });
      await eso.createPushSecret("onward", pushes("shop-db", "copy/db"));
      await eso.createPushSecret("backward", pushes("shop-db", source.name));
      await eso.createPushSecret("unrelated", pushes("other", "copy/other"));
      const controller = eso.startEso();
      await seen(async () => controller.refreshes === 1);

      await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" }); // no controller pushes here
      await controller.stop();

      expect(await eso.nudged("PushSecret")).toEqual(["onward"]);
    });

    it("that writes to the source is reported by name", async () => {
      const { eso, source, notify } = await open();
      await eso.createStore("plain");
      await eso.createPushSecret("backward", pushes("any", source.name));

      expect(resultsOf(await notify(source))).toEqual({
        "PushSecret/backward": "ignored PUSH_SECRET_WRITES_SOURCE",
      });
    });
  });

  describe("together with bindings", () => {
    it("writes bound Secrets, nudges the rest, and triggers pushes of the written ones", async () => {
      const { eso, source, notify } = await open({
        deadlineSeconds: 1,
        bindings: ({ name }, namespace) => [{ source: name, targets: [{ namespace, name: "bound" }] }],
      });
      await at.scene.grant(["bound"]);
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", reads(source.name));
      await eso.createPushSecret("onward", {
        secretStoreRefs: [{ name: "plain", kind: "SecretStore" }],
        selector: { secret: { name: "bound" } },
        data: [{ match: { secretKey: "password", remoteRef: { remoteKey: "copy/bound" } } }],
      });

      await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

      expect(await at.scene.readData("bound")).toEqual({ password: "first" });
      expect(await eso.nudged("ExternalSecret")).toEqual(["shop"]);
      expect(await eso.nudged("PushSecret")).toEqual(["onward"]);
    });
  });

  it("does not let very many regular expressions delay a bound Secret, or decide for others", async () => {
    const { eso, source, notify } = await open({
      deadlineSeconds: 1,
      bindings: ({ name }, namespace) => [{ source: name, targets: [{ namespace, name: "bound" }] }],
    });
    await at.scene.grant(["bound"]);
    await eso.createStore("plain");
    const searches = Array.from({ length: 400 }, (_, index) => ({
      find: { name: { regexp: `^(([a-z0-9/-])+.)+[A-Z]([a-z])+${index}$` } },
    }));
    await eso.createExternalSecret("a-lot", { secretStoreRef: { name: "plain" }, dataFrom: searches });
    await eso.createExternalSecret("found", finds({ name: { regexp: "^prod/" } }));
    await eso.createExternalSecret("not-found", finds({ name: { regexp: "^staging/" } }));

    await expect(notify(source)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

    expect(await at.scene.readData("bound")).toEqual({ password: "first" });
    const nudged = await eso.nudged("ExternalSecret");
    expect(nudged.filter((name) => name !== "a-lot")).toEqual(["found"]); // a needless refresh is harmless
  });

  describe("secret-relay trigger", () => {
    const openDeskWith = async (externalSecrets: object | undefined) => {
      const opened = await open({ isAllowed: false });
      const desk = openDesk(opened.backend, { wait: opened.eso.wait });
      const cluster = { ...pinnedCluster(opened.backend), ...(externalSecrets && { externalSecrets }) };
      desk.writeBindings([], { main: cluster });
      await opened.eso.createStore("plain");
      await opened.eso.createExternalSecret("shop", {
        ...reads(opened.source.name),
        target: { name: "shop-db" },
      });
      const controller = opened.eso.startEso();
      await seen(async () => controller.refreshes === 1);
      const close = async () => {
        await controller.stop();
        desk.close();
      };
      return { ...opened, desk, controller, close };
    };

    it.each(["its name", "the name of its source", "--all"])(
      "refreshes an ExternalSecret, selected by %s",
      async (by) => {
        const { namespace } = at.scene;
        const { desk, source, close } = await openDeskWith({ namespaces: [namespace] });
        const password = newCanary();
        await at.scene.rotate(source, JSON.stringify({ password }));

        const words = { "its name": `${namespace}/shop`, "the name of its source": source.name }[by] ?? by;
        const { exitCode, json, stderr } = await desk.runJson("trigger", words);
        await close();

        expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^Account .+\nCluster main: .+\n$/)]);
        const object = `ExternalSecret/${namespace}/shop`;
        const refreshed = { cluster: "main", object, kind: "refreshed", ms: expect.any(Number), nudges: 1 };
        expect(json).toEqual({ ok: true, objects: [refreshed] });
        expect(await at.scene.readData("shop-db")).toEqual({ password });
      },
    );

    it("searches the given cluster, even without trigger mode in its entry", async () => {
      const { namespace } = at.scene;
      const { desk, close } = await openDeskWith(undefined);

      const unsaid = await desk.run("trigger", "--all");
      const said = await desk.run("trigger", "--all", "--cluster", "main", "-n", namespace);
      await close();

      expect(unsaid.exitCode).toBe(2);
      expect(unsaid.stderr).toContain("No cluster of the bindings has externalSecrets");
      expect(said.exitCode).toBe(0);
      expect(said.stdout).toMatch(
        new RegExp(`main/ExternalSecret/${namespace}/shop +refreshed +[0-9]+ ms +1\\n`),
      );
    });

    it("ends with 1 if an ExternalSecret is not refreshed, with the reason", async () => {
      const { namespace } = at.scene;
      const { desk, eso, source, close } = await openDeskWith({ namespaces: [namespace] });
      await eso.createExternalSecret("once", { ...reads(source.name), refreshInterval: "0s" });
      await seen(async () => (await eso.read("ExternalSecret", "once")).status?.refreshTime !== undefined);

      const { exitCode, stdout, stderr } = await desk.run("trigger", source.name);
      await close();

      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/shop +refreshed/);
      expect(stdout).toMatch(/once +ignored +REFRESH_DISABLED/);
      expect(stderr).toContain(
        `ExternalSecret/${namespace}/once: REFRESH_DISABLED: Its refreshInterval is 0`,
      );
    });

    it("names --timeout if its own time was over", async () => {
      const { desk, source, controller } = await openDeskWith({ namespaces: [at.scene.namespace] });
      await controller.stop(); // nobody follows the nudge

      const { exitCode, stdout, stderr } = await desk.run("trigger", source.name, "--timeout", "1");
      desk.close();

      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/shop +failed .*EXTERNAL_SECRET_NOT_REFRESHED/);
      expect(stderr).toContain("The time of --timeout (1 s) was over");
      expect(stdout + stderr).not.toContain("CLUSTER_UNAVAILABLE");
    });

    it("ends with 1 if nothing matches, and with 2 without a selection", async () => {
      const { namespace } = at.scene;
      const { desk, close } = await openDeskWith({ namespaces: [namespace] });

      const runs = [
        await desk.run("trigger", "prod/unread"),
        await desk.run("trigger"),
        await desk.run("trigger", "shop/db", "--all"),
        await desk.run("trigger", "shop/db", "--cluster", "mian"),
      ];
      await close();

      expect(runs.map(({ exitCode }) => exitCode)).toEqual([1, 2, 2, 2]);
      expect(runs.map(({ stderr }) => stderr)).toEqual([
        expect.stringContaining("No ExternalSecret has the name prod/unread"),
        expect.stringContaining("Select what to refresh"),
        expect.stringContaining("either a name or --all"),
        expect.stringContaining("Did you mean main?"),
      ]);
    });
  });

  describe("permissions", () => {
    it("that are missing are reported, and nothing is retried", async () => {
      const { source, notify, relay } = await open({ isAllowed: false });

      const results = resultsOf(await notify(source));

      expect(results).toEqual({
        [`ExternalSecret/${at.scene.namespace}/*`]: "refused CLUSTER_FORBIDDEN",
        [`PushSecret/${at.scene.namespace}/*`]: "refused CLUSTER_FORBIDDEN",
      });
      const advice = relay.logs.find(({ code }) => code === "EXTERNAL_SECRET_REFUSED")?.fields.advice;
      expect(advice).toContain("docs/external-secrets.md");
    });

    it("on the page suffice, and the same token cannot read, list or write a Secret", async () => {
      const { backend, eso } = await open();
      await at.scene.createSecret("shop", { password: newCanary() });
      await eso.createStore("plain");
      const { clusterName, region } = backend.kubernetes;
      const token = await mintTestToken({ clusterName, region, credentials: credentialsOf(backend.aws) });
      const inNamespace = `/namespaces/${at.scene.namespace}`;
      const ask = async (path: string, more: object = {}) =>
        (await at.scene.admin(path, { token, ...more })).status;
      const merge = { method: "PATCH", contentType: "application/merge-patch+json", body: { data: {} } };
      const secrets = `/api/v1${inNamespace}/secrets`;
      const stores = `/apis/external-secrets.io/${version}${inNamespace}/secretstores`;

      const allowed = [await ask(`/apis/external-secrets.io/${version}${inNamespace}/externalsecrets`)];
      const denied = [
        await ask(secrets),
        await ask(`${secrets}/shop`),
        await ask(`${secrets}/shop`, merge),
        await ask(stores),
        await ask(`${stores}/plain`, merge),
      ];

      expect({ allowed, denied }).toEqual({ allowed: [200], denied: [403, 403, 403, 403, 403] });
    });

    it("do not cover Secrets, and no value is read for a nudge", async () => {
      const { eso, source, notify, backend } = await open();
      await at.scene.createSecret("shop", { password: newCanary() });
      await eso.createStore("plain");
      await eso.createExternalSecret("shop", { ...reads(source.name), refreshInterval: "0s" });
      await eso.writeStatus("ExternalSecret", "shop", { ...SYNCED, syncedResourceVersion: "1-abc" });
      const { sandbox } = backend as { sandbox?: Counted };
      const before = sandbox && valuesServed(sandbox);

      await notify(source);

      expect(sandbox && valuesServed(sandbox)).toBe(before);
    });
  });
}

type Options = {
  readonly deadlineSeconds?: number;
  readonly bindings?: readonly object[] | ((source: TestSource, namespace: string) => readonly object[]);
  readonly isAllowed?: boolean;
};

type Counted = {
  readonly aws: { readonly counters: { readonly secretValuesServed: number } };
  readonly kubernetes: { readonly requests: { readonly secretValuesServed: number } };
};

const valuesServed = ({ aws, kubernetes }: Counted): number =>
  aws.counters.secretValuesServed + kubernetes.requests.secretValuesServed;

const NUDGE = "external-secrets.io/force-sync";
const WEBHOOK_ID = "reconcile.external-secrets.io/webhook-id";
const SYNCED = {
  refreshTime: "2026-01-01T00:00:00Z",
  conditions: [{ type: "Ready", status: "True", reason: "SecretSynced" }],
};

const textOf = (password: string): string => JSON.stringify({ password });

const entry = (key: string, more: object = {}) => ({
  secretKey: "password",
  remoteRef: { key, property: "password", ...more },
});

const reads = (key: string, more: object = {}, store: object = { name: "plain" }) => ({
  secretStoreRef: store,
  refreshInterval: "1h0m0s",
  data: [entry(key, more)],
});

const finds = (find: object) => ({ secretStoreRef: { name: "plain" }, dataFrom: [{ find }] });

function metadataOf(externalSecret: string, sourceName: string): object {
  if (externalSecret === "by-webhook-id") return { annotations: { [WEBHOOK_ID]: sourceName } };
  if (externalSecret === "by-other-webhook-id") return { annotations: { [WEBHOOK_ID]: "prod/other" } };
  return {};
}

/** Object without its namespace -> kind and code. */
function resultsOf({ externalSecrets = [] }: RotationReport): Record<string, string> {
  return Object.fromEntries(
    externalSecrets.map((outcome) => {
      const [kind, namespace, name] = outcome.object.split("/");
      const object = name === "*" ? `${kind}/${namespace}/*` : `${kind}/${name}`;
      return [object, "code" in outcome ? `${outcome.kind} ${outcome.code}` : outcome.kind];
    }),
  );
}

async function seen(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("It did not come to pass within 5 s");
}

async function eventually<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}
