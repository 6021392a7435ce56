import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { makeCertificates, makeSshKey } from "../harness/certificates.ts";
import { startRelay, startSweeper } from "../harness/relay.ts";
import { findingsIn } from "../harness/rows.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** What bindings can say, as it ends in the cluster; the same on the sandbox and on real servers. */
export function describeRenderingContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  const { pair, otherPair, authorityPem } = makeCertificates();

  /** Creates a source, binds it to the Secret `made`, and syncs it. */
  const bound = async (value: string | object, rules: object) => {
    const name = `prod/${randomUUID().slice(0, 8)}`;
    const source = await at.scene.createSource(
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    );
    await at.scene.grant(["made"]);
    const bindings = [{ source: name, targets: [{ namespace: at.scene.namespace, name: "made" }], ...rules }];
    const relay = await startRelay(used.backend, { bindings });
    const sync = async () => (await relay.invoke({ secretId: name })).targets[0];
    const sweeper = () => startSweeper(used.backend, { bindings });
    return { source, relay, sync, sweeper };
  };

  describe("each type of Secret", () => {
    it.each<[type: string, value: object]>([
      ["kubernetes.io/tls", { "tls.crt": pair.certificatePem + authorityPem, "tls.key": pair.keyPem }],
      ["kubernetes.io/basic-auth", { username: "app", password: "p" }],
      ["kubernetes.io/ssh-auth", { "ssh-privatekey": makeSshKey() }],
      [
        "kubernetes.io/dockerconfigjson",
        { ".dockerconfigjson": '{"auths":{"r":{"username":"u","password":"p"}}}' },
      ],
      ["kubernetes.io/dockercfg", { ".dockercfg": '{"r":{"username":"u","password":"p"}}' }],
      ["example.com/own", { any: "thing" }],
    ])("%s is created with its keys", async (type, value) => {
      const { sync } = await bound(value, { type });

      expect(await sync()).toMatchObject({ outcome: "written" });

      expect((await at.scene.readSecret("made")).type).toBe(type);
      expect(await at.scene.readData("made")).toEqual(value);
      expect(await sync()).toMatchObject({ outcome: "unchanged" });
    });

    it("is not changed if the new value is invalid for the type, and the reason is reported", async () => {
      const value = { "tls.crt": pair.certificatePem, "tls.key": pair.keyPem };
      const { source, sync, relay } = await bound(value, { type: "kubernetes.io/tls" });
      await sync();
      await at.scene.rotate(source, JSON.stringify({ ...value, "tls.key": otherPair.keyPem }));

      expect(await sync()).toMatchObject({ outcome: "refused", code: "TLS_PAIR_MISMATCH" });

      expect(await at.scene.readData("made")).toEqual(value);
      expect(relay.metrics.find(({ name }) => name === "CertificateExpiresInDays")?.value).toBeLessThan(3);
    });
  });

  it("a sweep by values reports when a certificate expires", async () => {
    const value = { "tls.crt": pair.certificatePem, "tls.key": pair.keyPem };
    const { sync, sweeper } = await bound(value, { type: "kubernetes.io/tls" });
    await sync();
    const { sweep, metrics, logs } = await sweeper();

    const report = await sweep({ sweep: "values" });

    const [remark] = report.targets;
    expect(findingsIn(report)).toEqual([]);
    expect(remark?.certificateExpiresInDays).toBeLessThan(3);
    expect(metrics.find(({ name }) => name === "CertificateExpiresInDays")?.value).toBeLessThan(3);
    expect(logs.find(({ code }) => code === "CERTIFICATE_SEEN")?.fields).toMatchObject({
      target: `main/${at.scene.namespace}/made`,
    });
  });

  describe("a key", () => {
    it("comes from an expression, a template, decoding, or its name", async () => {
      const { sync } = await bound(
        { db: { users: [{ name: "ann" }] }, password: "p@ss", host: "h", port: 5432, "a.b": "aGk=" },
        {
          keys: {
            USER: { jmespath: "db.users[0].name" },
            URL: {
              template:
                '{{ "pg" | connection_url: user: db.users[0].name, password: password, host: host, port: port }}',
            },
            FILE: { key: "a.b", decode: "base64" },
            HOST: "host",
          },
        },
      );

      expect(await sync()).toMatchObject({ outcome: "written" });

      expect(await at.scene.readData("made")).toEqual({
        USER: "ann",
        URL: "pg://ann:p%40ss@h:5432",
        FILE: "hi",
        HOST: "h",
      });
    });

    it("is extracted by a pattern, its number spelled as in the source", async () => {
      const { sync, sweeper } = await bound('{"db_user":"u","db_version":1.10,"other":"o"}', {
        extract: { include: ["db_*"], rename: [{ pattern: "db_*", to: "DB_*" }] },
      });

      await sync();

      expect(await at.scene.readData("made")).toEqual({ DB_user: "u", DB_version: "1.10" });
      expect(findingsIn(await (await sweeper()).sweep({ sweep: "values" }))).toEqual([]);
    });

    it("is extracted from a nested object, and each text that looks like base64 is decoded", async () => {
      const { sync, sweeper } = await bound(
        { main: { user: "u", file: "aGk=", version: 1 }, other: { user: "o" } },
        { extract: { jmespath: "main", decode: "auto" } },
      );

      await sync();

      expect(await at.scene.readData("made")).toEqual({ user: "u", file: "hi", version: "1" });
      expect(findingsIn(await (await sweeper()).sweep({ sweep: "values" }))).toEqual([]);
    });

    it("whose template lacks a variable is refused, and the refusal names it", async () => {
      const { sync } = await bound({ user: "u" }, { keys: { K: { template: "{{ pasword }}" } } });

      const outcome = await sync();

      expect(outcome).toMatchObject({ outcome: "refused", code: "TEMPLATE_VARIABLE_MISSING" });
      expect(outcome?.advice).toContain("pasword");
      expect(await at.scene.readSecret("made")).toBeUndefined();
    });
  });

  describe("an immutable Secret", () => {
    it("with onChange: refuse keeps its value, and reports advice", async () => {
      const { source, sync } = await bound({ a: "first" }, { immutable: true, onChange: "refuse" });
      await sync();
      expect((await at.scene.readSecret("made")).immutable).toBe(true);
      expect(await sync()).toMatchObject({ outcome: "unchanged" });
      await at.scene.rotate(source, '{"a":"second"}');

      expect(await sync()).toMatchObject({ outcome: "refused", code: "TARGET_IMMUTABLE" });
      expect(await at.scene.readData("made")).toEqual({ a: "first" });
    });

    it("with onChange: replace is recreated once the relay has permission to delete it", async () => {
      const { source, sync } = await bound({ a: "first" }, { immutable: true, onChange: "replace" });
      await sync();
      const { uid } = (await at.scene.readSecret("made")).metadata;
      await at.scene.rotate(source, '{"a":"second"}');

      expect(await sync()).toMatchObject({ outcome: "refused", code: "CLUSTER_FORBIDDEN" });
      expect(await at.scene.readData("made")).toEqual({ a: "first" });

      await at.scene.grantDelete(["made"]);
      expect(await sync()).toMatchObject({ outcome: "written" });
      const { metadata, immutable } = await at.scene.readSecret("made");
      expect(await at.scene.readData("made")).toEqual({ a: "second" });
      expect(metadata.uid).not.toBe(uid);
      expect(immutable).toBe(true);
    });

    it("of another owner is never deleted", async () => {
      const { sync } = await bound({ a: "ours" }, { immutable: true, onChange: "replace", adopt: true });
      await at.scene.createSecret("made", { a: "theirs" }, { immutable: true });
      await at.scene.grantDelete(["made"]);

      expect(await sync()).toMatchObject({ outcome: "refused", code: "TARGET_IMMUTABLE" });
      expect(await at.scene.readData("made")).toEqual({ a: "theirs" });
    });
  });

  describe("a Secret shared with others", () => {
    it("gets the relay's keys, keeps foreign keys, and loses only keys that the source drops", async () => {
      const { source, sync, sweeper } = await bound({ ours: "1", also: "2" }, { ownership: "keys" });
      await at.scene.createSecret("made", { theirs: "kept" });
      const before = await (await sweeper()).sweep({ sweep: "metadata", plan: true });
      expect(findingsIn(before)[0]).toMatchObject({ finding: "MISSING", action: "update" });

      expect(await sync()).toMatchObject({ outcome: "written" });
      expect(await at.scene.readData("made")).toEqual({ theirs: "kept", ours: "1", also: "2" });
      expect(findingsIn(await (await sweeper()).sweep({ sweep: "metadata" }))).toEqual([]);

      await at.scene.patchSecret("made", { data: { theirs: "Y2hhbmdlZA==" } });
      await at.scene.rotate(source, '{"ours":"3"}');
      expect(await sync()).toMatchObject({ outcome: "written" });
      expect(await at.scene.readData("made")).toEqual({ theirs: "changed", ours: "3" });
    });

    it("is refused if a bound key belongs to another field manager", async () => {
      const { sync } = await bound({ theirs: "ours now" }, { ownership: "keys" });
      await at.scene.createSecret("made", { theirs: "kept" });

      expect(await sync()).toMatchObject({ outcome: "refused", code: "FIELD_OWNED_BY_ANOTHER" });
      expect(await at.scene.readData("made")).toEqual({ theirs: "kept" });
    });
  });
}
