import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** What a rotation does to the cluster; the same on the sandbox and on real servers. */
export function describeRotationContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const anyName = (): string => `prod/${randomUUID().slice(0, 8)}`;
  const bindTo = (source: string, name: string, more: object = {}) => ({
    source,
    targets: [{ namespace: at.scene.namespace, name }],
    ...more,
  });

  describe("a rotation", () => {
    it("creates the Secret with every key of the source, and annotates the source", async () => {
      const source = await at.scene.createSource(
        anyName(),
        '{"user":"app","password":"canary-7f3a9c1e-first"}',
      );
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, {
        bindings: [bindTo(source.name, "db", { labels: { team: "shop" } })],
      });

      const report = await relay.invoke(labelUpdated(used.backend, source));

      expect(report.targets).toEqual([
        {
          target: `main/${at.scene.namespace}/db`,
          outcome: "written",
          versionId: source.versionId,
          changes: [
            { key: "user", what: "added" },
            { key: "password", what: "added" },
          ],
        },
      ]);
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
      const { metadata, type } = await at.scene.readSecret("db");
      expect(type).toBe("Opaque");
      expect(metadata.labels).toEqual({
        team: "shop",
        "secret-relay/managed": relayMetadataOf(used.backend).identity,
      });
      expect(metadata.annotations).toMatchObject({
        "secret-relay/version-id": source.versionId,
        "secret-relay/source": source.arn,
      });
      expect(metadata.managedFields).toEqual([
        expect.objectContaining({ manager: "secret-relay", operation: "Apply" }),
      ]);
    });

    it("replaces the old value, and removes a key that the source no longer has", async () => {
      const first = await at.scene.createSource(
        anyName(),
        '{"user":"app","password":"canary-7f3a9c1e-first","old":"x"}',
      );
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(first.name, "db")] });
      await relay.invoke(labelUpdated(used.backend, first));

      const second = await at.scene.rotate(
        first,
        '{"user":"app","password":"canary-7f3a9c1e-second","more":"y"}',
      );
      const report = await relay.invoke(labelUpdated(used.backend, second));

      expect(await at.scene.readData("db")).toEqual({
        user: "app",
        password: "canary-7f3a9c1e-second",
        more: "y",
      });
      expect(report.targets[0]?.changes).toEqual([
        { key: "password", what: "changed" },
        { key: "more", what: "added" },
        { key: "old", what: "removed" },
      ]);
    });

    it("changes nothing for a repeated event, not even the resourceVersion", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });
      await relay.invoke(labelUpdated(used.backend, source));
      const before = await at.scene.readSecret("db");

      const report = await relay.invoke(labelUpdated(used.backend, source));

      expect(report.targets[0]?.outcome).toBe("unchanged");
      expect((await at.scene.readSecret("db")).metadata.resourceVersion).toBe(
        before.metadata.resourceVersion,
      );
    });

    it("follows a rollback to an older VersionId like any rotation", async () => {
      const first = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(first.name, "db")] });
      const second = await at.scene.rotate(first, '{"password":"canary-7f3a9c1e-second"}');
      await relay.invoke(labelUpdated(used.backend, second));

      await at.scene.rollBack(second, first);
      await relay.invoke(labelUpdated(used.backend, first));

      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-first" });
    });

    it("uses the version in Secrets Manager, not the older version of a late event", async () => {
      const first = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(first.name, "db")] });
      const second = await at.scene.rotate(first, '{"password":"canary-7f3a9c1e-second"}');
      await relay.invoke(labelUpdated(used.backend, second));

      await relay.invoke(labelUpdated(used.backend, first));

      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-second" });
    });

    it("recreates a deleted Secret", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });
      await relay.invoke(labelUpdated(used.backend, source));
      await at.scene.deleteSecret("db");

      await relay.invoke({ secretId: source.name });

      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-first" });
    });

    it("syncs exactly the sources whose bindings have the webhook id", async () => {
      const value = (password: string) => JSON.stringify({ password: `canary-7f3a9c1e-${password}` });
      const first = await at.scene.createSource(anyName(), value("first"));
      const second = await at.scene.createSource(anyName(), value("second"));
      const other = await at.scene.createSource(anyName(), value("other"));
      await at.scene.grant(["first", "second", "other"]);
      const bindings = [
        bindTo(first.name, "first", { webhookId: "shop" }),
        bindTo(second.name, "second", { webhookId: "shop" }),
        bindTo(other.name, "other", { webhookId: "other" }),
      ];
      const relay = await startRelay(used.backend, { bindings });

      const report = await relay.invoke({ webhookId: "shop" });

      expect(report.targets.map(({ outcome }) => outcome)).toEqual(["written", "written"]);
      expect(await at.scene.readData("first")).toEqual({ password: "canary-7f3a9c1e-first" });
      expect(await at.scene.readData("second")).toEqual({ password: "canary-7f3a9c1e-second" });
      expect(await at.scene.readSecret("other")).toBeUndefined();
    });

    it("reports an unknown webhook id, and does nothing", async () => {
      const relay = await startRelay(used.backend, { bindings: [bindTo("prod/db", "db")] });

      expect(await relay.invoke({ webhookId: "shop" })).toEqual({ targets: [], rejected: [] });
      expect(relay.logs).toEqual([{ code: "WEBHOOK_ID_NOT_BOUND", fields: {} }]);
    });

    it("writes nothing and measures no latency for an unchanged version whose time is in the future", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });
      const impossible = labelUpdated(used.backend, source, Date.UTC(2099, 0, 1));
      const created = await relay.invoke(impossible);
      const before = await at.scene.readSecret("db");

      const reports = [await relay.invoke(impossible), await relay.invoke(impossible)];

      expect(created.targets[0]?.outcome).toBe("written");
      expect(reports.map(({ targets }) => targets[0]?.outcome)).toEqual(["unchanged", "unchanged"]);
      expect((await at.scene.readSecret("db")).metadata.resourceVersion).toBe(
        before.metadata.resourceVersion,
      );
      expect(relay.metrics.filter(({ name }) => name === "PropagationLatency")).toEqual([]);
    });

    it("reports the propagation latency from the event's time", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });

      await relay.invoke(labelUpdated(used.backend, source, Date.now() - 5_000));

      const latency = relay.metrics.find(({ name }) => name === "PropagationLatency");
      expect(latency?.value).toBeGreaterThanOrEqual(5_000);
      expect(latency?.value).toBeLessThan(60_000);
    });
  });

  describe("a binding", () => {
    it("selects and renames keys", async () => {
      const source = await at.scene.createSource(
        anyName(),
        '{"user":"app","password":"canary-7f3a9c1e-first","port":5432}',
      );
      await at.scene.grant(["db"]);
      const keys = { DB_PASSWORD: "password", DB_PORT: "port" };
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db", { keys })] });

      await relay.invoke({ secretId: source.arn });

      expect(await at.scene.readData("db")).toEqual({
        DB_PASSWORD: "canary-7f3a9c1e-first",
        DB_PORT: "5432",
      });
    });

    it("writes a plain string, and binary, whole under one key", async () => {
      const text = await at.scene.createSource(anyName(), "not json");
      const bytes = Uint8Array.from([0, 255, 128, 10]);
      const binary = await at.scene.createSource(anyName(), bytes);
      await at.scene.grant(["text", "binary"]);
      const relay = await startRelay(used.backend, {
        bindings: [
          bindTo(text.name, "text", { value: "licence" }),
          bindTo(binary.name, "binary", { value: "blob" }),
        ],
      });

      await relay.invoke({ secretId: text.name });
      await relay.invoke({ secretId: binary.name });

      expect(await at.scene.readData("text")).toEqual({ licence: "not json" });
      expect((await at.scene.readSecret("binary")).data).toEqual({
        blob: Buffer.from(bytes).toString("base64"),
      });
    });

    it("with several targets writes all of them, and a refused one does not delay the others", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["one", "two"]);
      const targets = ["one", "not-granted", "two"].map((name) => ({ namespace: at.scene.namespace, name }));
      const relay = await startRelay(used.backend, { bindings: [{ source: source.name, targets }] });

      const report = await relay.invoke({ secretId: source.name });

      expect(report.targets.map(({ outcome, code }) => code ?? outcome)).toEqual([
        "CLUSTER_FORBIDDEN",
        "written",
        "written",
      ]);
      expect(await at.scene.readData("two")).toEqual({ password: "canary-7f3a9c1e-first" });
      expect(relay.metrics).toContainEqual({ name: "TargetsRefused", value: 1, code: "CLUSTER_FORBIDDEN" });
    });

    it("without its endpoint pinned finds the cluster through DescribeCluster", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const { name, region, ...endpoint } = pinnedCluster(used.backend);
      let calls = 0;
      const relay = await startRelay(used.backend, {
        clusters: { looked: { name, region } },
        bindings: [
          {
            source: source.name,
            targets: [{ cluster: "looked", namespace: at.scene.namespace, name: "db" }],
          },
        ],
        describeCluster: async (clusterName) => {
          calls += 1;
          expect(clusterName).toBe(name);
          return { url: endpoint.endpoint, certificateAuthorityData: endpoint.certificateAuthorityData };
        },
      });

      await relay.invoke({ secretId: source.name });
      await relay.invoke({ secretId: source.name });

      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-first" });
      expect(calls).toBe(1);
    });
  });

  describe("a Secret that is not the relay's", () => {
    it("is refused, and adopted if the binding has adopt", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-ours"}');
      await at.scene.grant(["db"]);
      await at.scene.createSecret("db", { password: "canary-7f3a9c1e-theirs", other: "kept" });
      const careful = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });
      const adopting = await startRelay(used.backend, {
        bindings: [bindTo(source.name, "db", { adopt: true })],
      });

      const refused = await careful.invoke({ secretId: source.name });
      expect(refused.targets[0]).toMatchObject({ outcome: "refused", code: "TARGET_NOT_OURS" });
      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-theirs", other: "kept" });

      const adopted = await adopting.invoke({ secretId: source.name });
      expect(adopted.targets[0]).toMatchObject({ outcome: "written" });
      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-ours", other: "kept" });
    });

    it("is refused with advice when External Secrets Operator owns it, even with adopt", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-ours"}');
      await at.scene.grant(["db"]);
      const owner = {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        name: "db",
        uid: randomUUID(),
        controller: true,
      };
      await at.scene.createSecret(
        "db",
        { password: "canary-7f3a9c1e-theirs" },
        {
          metadata: {
            ownerReferences: [owner],
            labels: { "reconcile.external-secrets.io/managed": "true" },
          },
        },
      );
      const relay = await startRelay(used.backend, {
        bindings: [bindTo(source.name, "db", { adopt: true })],
      });

      const report = await relay.invoke({ secretId: source.name });

      expect(report.targets[0]).toMatchObject({ code: "TARGET_OWNED_BY_CONTROLLER" });
      expect(report.targets[0]?.advice).toContain("creationPolicy: Orphan");
      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-theirs" });
    });

    it("in part, because another manager took a key, is written and owned again", async () => {
      const first = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(first.name, "db")] });
      await relay.invoke({ secretId: first.name });
      const tampered = Buffer.from("tampered").toString("base64");
      await at.scene.patchSecret("db", { data: { password: tampered } });
      await at.scene.rotate(first, '{"password":"canary-7f3a9c1e-second"}');

      const report = await relay.invoke({ secretId: first.name });

      expect(report.targets[0]).toMatchObject({ outcome: "written" });
      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-second" });
    });

    it("is refused when its type differs, and when it is immutable", async () => {
      const source = await at.scene.createSource(
        anyName(),
        '{"username":"u","password":"canary-7f3a9c1e-ours"}',
      );
      await at.scene.grant(["typed", "frozen"]);
      await at.scene.createSecret(
        "typed",
        { username: "u", password: "p" },
        { type: "kubernetes.io/basic-auth" },
      );
      await at.scene.createSecret("frozen", { password: "canary-7f3a9c1e-theirs" }, { immutable: true });
      const relay = await startRelay(used.backend, {
        bindings: [
          bindTo(source.name, "typed", { adopt: true }),
          bindTo(source.name, "frozen", { adopt: true }),
        ],
      });

      const report = await relay.invoke({ secretId: source.name });

      expect(report.targets.map(({ code }) => code)).toEqual(["TARGET_TYPE_DIFFERS", "TARGET_IMMUTABLE"]);
    });
  });

  describe("a source that can't be read", () => {
    it("is refused by name, and nothing in the cluster changes", async () => {
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo("prod/never-created", "db")] });

      const report = await relay.invoke({ secretId: "prod/never-created" });

      expect(report.targets[0]).toMatchObject({ outcome: "refused", code: "SOURCE_MISSING" });
      expect(await at.scene.readSecret("db")).toBeUndefined();
    });

    it("is refused with advice if it is not a JSON object", async () => {
      const source = await at.scene.createSource(anyName(), "just a password");
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, { bindings: [bindTo(source.name, "db")] });

      const report = await relay.invoke({ secretId: source.name });

      expect(report.targets[0]).toMatchObject({ code: "SOURCE_NOT_JSON_OBJECT" });
      expect(JSON.stringify(report)).not.toContain("just a password");
    });
  });

  describe("with permissions for named Secrets only", () => {
    it("the relay can do nothing else in the namespace", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      await at.scene.grant(["db"]);
      const relay = await startRelay(used.backend, {
        bindings: [bindTo(source.name, "db"), bindTo(source.name, "other")],
      });
      await relay.invoke({ secretId: source.name });
      const token = await mintRelayToken(used.backend);
      const secrets = `/api/v1/namespaces/${at.scene.namespace}/secrets`;
      const asRelay = async (method: string, path: string, body?: object, contentType?: string) =>
        (await at.scene.admin(path, { method, token, body, ...(contentType && { contentType }) })).status;
      const secret = (name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name } });
      const apply = "application/apply-patch+yaml";

      expect(await asRelay("GET", `${secrets}/db`)).toBe(200);
      expect(await asRelay("GET", secrets)).toBe(403);
      expect(await asRelay("GET", `${secrets}/other`)).toBe(403);
      expect(await asRelay("POST", secrets, secret("db"))).toBe(403);
      expect(await asRelay("PATCH", `${secrets}/other?fieldManager=x`, secret("other"), apply)).toBe(403);
      expect(await asRelay("DELETE", `${secrets}/db`)).toBe(403);
      expect(await asRelay("GET", "/api/v1/namespaces/kube-system/secrets")).toBe(403);
      expect(await asRelay("GET", `/api/v1/namespaces/${at.scene.namespace}/pods`)).toBe(403);
    });
  });
}

async function mintRelayToken({ aws, kubernetes }: Backend): Promise<string> {
  const { mintEksToken } = await import("../../shared/cluster/eks-token.ts");
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = aws.env;
  const { bearer } = await mintEksToken({
    clusterName: kubernetes.clusterName,
    region: kubernetes.region,
    credentials: { accessKeyId, secretAccessKey },
    now: Date.now(),
    fips: false,
  });
  return bearer;
}
