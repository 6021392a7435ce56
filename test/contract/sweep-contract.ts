import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { findingsIn, unknownIn } from "../harness/rows.ts";
import { encodeData } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const METADATA = { sweep: "metadata" };
const VALUES = { sweep: "values" };

/** What a sweep finds and repairs; the same on the sandbox and on real servers. */
export function describeSweepContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const anyName = (): string => `prod/${randomUUID().slice(0, 8)}`;
  const bindTo = (source: string, name: string, more: object = {}) => ({
    source,
    targets: [{ namespace: at.scene.namespace, name }],
    ...more,
  });

  /** A source, synced into Secret `db`, and a sweeper that looks after it. */
  const openSynced = async (more: object = {}, { mayList = true } = {}) => {
    const source = await at.scene.createSource(
      anyName(),
      '{"user":"app","password":"canary-7f3a9c1e-first"}',
    );
    const bindings = [bindTo(source.name, "db", more)];
    await at.scene.grant(["db"], { mayList });
    const relay = await startRelay(used.backend, { bindings });
    await relay.invoke(labelUpdated(used.backend, source));
    return { source, relay, bindings, sweeper: await startSweeper(used.backend, { bindings }) };
  };

  const codes = (report: SweepReport) => findingsIn(report).map(({ finding }) => finding);
  const only = (report: SweepReport): TargetRow => {
    expect(unknownIn(report)).toEqual([]);
    expect(report.targets).toHaveLength(1);
    return report.targets[0] as TargetRow;
  };
  const patch = (body: object, manager?: string) => at.scene.patchSecret("db", body, manager);

  describe("a sweep by metadata", () => {
    it("finds nothing if nothing drifted, and reports how many Secrets it checked", async () => {
      const { sweeper } = await openSynced();
      const report = await sweeper.sweep(METADATA);
      expect(report).toMatchObject({ bindings: 1, checked: 1, targets: [], orphansUnknown: [] });
    });

    it("finds a rotation whose event was lost, reports how stale the Secret is, and repairs it", async () => {
      const { source, sweeper } = await openSynced();
      const second = await at.scene.rotate(source, '{"user":"app","password":"canary-7f3a9c1e-second"}');

      const finding = only(await sweeper.sweep(METADATA));

      expect(finding).toMatchObject({
        finding: "STALE",
        cluster: "main",
        namespace: at.scene.namespace,
        name: "db",
        versionId: source.versionId,
        currentVersionId: second.versionId,
        changes: [{ key: "password", what: "changed" }],
        action: "update",
        outcome: "written",
      });
      expect(finding.staleMs).toBeGreaterThanOrEqual(0);
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-second" });
      expect((await sweeper.sweep(METADATA)).targets).toEqual([]);
    });

    it("finds a deleted Secret, and recreates it", async () => {
      const { sweeper } = await openSynced();
      await at.scene.deleteSecret("db");
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "MISSING",
        outcome: "written",
      });
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
    });

    it("reverts a changed value, and names the key and the field manager that changed it", async () => {
      const { sweeper } = await openSynced();
      await patch({ data: encodeData({ password: "canary-7f3a9c1e-tampered" }) }, "kubectl-edit");

      const finding = only(await sweeper.sweep(METADATA));

      expect(finding).toMatchObject({
        finding: "TAMPERED",
        action: "update",
        outcome: "written",
      });
      expect(finding.fields).toEqual([
        { field: "data.password", what: "changed", manager: "kubectl-edit", at: expect.any(String) },
      ]);
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
      expect((await sweeper.sweep(METADATA)).targets).toEqual([]);
    });

    it("reverts a changed value if the binding adopts", async () => {
      const { sweeper } = await openSynced({ adopt: true });
      await patch({ data: encodeData({ password: "canary-7f3a9c1e-tampered" }) });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "TAMPERED",
        outcome: "written",
      });
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
      expect((await sweeper.sweep(METADATA)).targets).toEqual([]);
    });

    it("finds a removed key, and restores it", async () => {
      const { sweeper } = await openSynced();
      await patch({ data: { password: null } });
      const finding = only(await sweeper.sweep(METADATA));
      expect(finding).toMatchObject({ finding: "TAMPERED", outcome: "written" });
      expect(finding.fields).toEqual([{ field: "data.password", what: "removed" }]);
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
    });

    it("finds a changed label of the binding's", async () => {
      const { sweeper } = await openSynced({ labels: { team: "shop" }, adopt: true });
      await patch({ metadata: { labels: { team: "other" } } });
      const finding = only(await sweeper.sweep(METADATA));
      expect(finding).toMatchObject({ finding: "TAMPERED", outcome: "written" });
      expect(finding.fields?.map(({ field }) => field)).toEqual(["metadata.labels.team"]);
      expect((await at.scene.readSecret("db")).metadata.labels.team).toBe("shop");
    });

    it("finds its own label removed, although the list then omits the Secret", async () => {
      const { sweeper } = await openSynced();
      await patch({ metadata: { labels: { "secret-relay/managed": null } } });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "TAMPERED",
        outcome: "written",
      });
      expect((await sweeper.sweep(METADATA)).targets).toEqual([]);
    });

    it("finds a Secret that another field manager took over by force", async () => {
      const { sweeper } = await openSynced({ adopt: true });
      await at.scene.applySecret("db", { data: encodeData({ user: "x", password: "y" }) }, "gitops");

      const finding = only(await sweeper.sweep(METADATA));

      expect(finding).toMatchObject({ finding: "TAKEN_OVER", outcome: "written" });
      expect(finding.fields).toContainEqual({
        field: "data.password",
        what: "changed",
        manager: "gitops",
        at: expect.any(String),
      });
      expect((await sweeper.sweep(METADATA)).targets).toEqual([]);
    });

    it("finds that a Secret was replaced as a whole", async () => {
      const { sweeper } = await openSynced({ adopt: true });
      await at.scene.replaceSecret("db", { data: encodeData({ password: "canary-7f3a9c1e-replaced" }) });
      const finding = only(await sweeper.sweep(METADATA));
      expect(finding).toMatchObject({ finding: "TAKEN_OVER", outcome: "written" });
      expect(await at.scene.readData("db")).toMatchObject({ user: "app", password: "canary-7f3a9c1e-first" });
    });

    it("finds a Secret that was recreated with another type, and refuses it with advice", async () => {
      const { sweeper } = await openSynced({ adopt: true });
      await at.scene.deleteSecret("db");
      await at.scene.createSecret(
        "db",
        { username: "u", password: "p" },
        { type: "kubernetes.io/basic-auth" },
      );
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "TYPE_DIFFERS",
        action: "refuse",
        code: "TARGET_TYPE_DIFFERS",
      });
    });

    it("finds a Secret of another owner, and leaves it unchanged", async () => {
      const { sweeper } = await openSynced();
      await at.scene.deleteSecret("db");
      await at.scene.createSecret("db", { password: "canary-7f3a9c1e-theirs" });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "NOT_OURS",
        action: "refuse",
        code: "TARGET_NOT_OURS",
      });
      expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-theirs" });
    });

    it("finds that the binding's rules changed", async () => {
      const { source } = await openSynced();
      const bindings = [bindTo(source.name, "db", { keys: { PASSWORD: "password" } })];
      const sweeper = await startSweeper(used.backend, { bindings });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "FINGERPRINT_CHANGED",
        outcome: "written",
      });
      expect(await at.scene.readData("db")).toEqual({ PASSWORD: "canary-7f3a9c1e-first" });
    });

    it("finds a source that is gone, keeps the Secret, and deletes it only under deletionPolicy delete", async () => {
      const kept = await openSynced();
      await at.scene.deleteSource(kept.source);
      expect(only(await kept.sweeper.sweep(METADATA))).toMatchObject({
        finding: "SOURCE_MISSING",
        action: "refuse",
        code: "SOURCE_MISSING",
      });
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });

      await at.scene.grantDelete(["db"]);
      const bindings = [bindTo(kept.source.name, "db", { deletionPolicy: "delete" })];
      const deleting = await startSweeper(used.backend, { bindings });
      expect(only(await deleting.sweep(METADATA))).toMatchObject({
        finding: "SOURCE_MISSING",
        action: "none",
        deleteAfter: expect.any(String),
      });
      const later = await startSweeper(used.backend, { bindings, deletionGraceMs: 0 });
      expect(only(await later.sweep(METADATA))).toMatchObject({ action: "delete", outcome: "deleted" });
      expect(await at.scene.readSecret("db")).toBeUndefined();
    });

    it("keeps the Secret of a source that can still be restored, under any policy", async () => {
      const { source, sweeper } = await openSynced({ deletionPolicy: "delete" });
      await at.scene.grantDelete(["db"]);
      await at.scene.deleteSource(source, { isRestorable: true });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "SOURCE_SCHEDULED_FOR_DELETION",
        action: "refuse",
        code: "SOURCE_SCHEDULED_FOR_DELETION",
      });
      expect(await at.scene.readSecret("db")).toBeDefined();
    });

    it("finds an orphan, keeps it, and deletes it if its binding had deletionPolicy: delete", async () => {
      const { source } = await openSynced();
      const other = await at.scene.createSource(anyName(), '{"password":"x"}');
      await at.scene.grantDelete(["db"]);
      const bindings = [bindTo(other.name, "db2")];
      await at.scene.grantMore("db2", ["db2"]);
      await (await startRelay(used.backend, { bindings })).invoke({ secretId: other.name });
      const sweeper = await startSweeper(used.backend, { bindings });
      expect(only(await sweeper.sweep(METADATA))).toMatchObject({
        finding: "ORPHAN",
        source: source.arn,
        name: "db",
        action: "none",
      });

      const deleting = [bindTo(source.name, "db", { deletionPolicy: "delete" })];
      await (await startRelay(used.backend, { bindings: deleting })).invoke({ secretId: source.name });
      const waits = only(await sweeper.sweep(METADATA));
      expect(waits).toMatchObject({ finding: "ORPHAN", action: "none", deleteAfter: expect.any(String) });
      const later = await startSweeper(used.backend, { bindings, deletionGraceMs: 0 });
      expect(only(await later.sweep(METADATA))).toMatchObject({
        finding: "ORPHAN",
        action: "delete",
        outcome: "deleted",
      });
      expect(await at.scene.readSecret("db")).toBeUndefined();
    });

    it("works with permissions for named Secrets only, and reports what is unknown", async () => {
      const { source, sweeper } = await openSynced({}, { mayList: false });
      await at.scene.rotate(source, '{"user":"app","password":"canary-7f3a9c1e-second"}');
      const report = await sweeper.sweep(METADATA);
      expect(only(report)).toMatchObject({ finding: "STALE", outcome: "written" });
      expect(report.orphansUnknown).toEqual([
        { cluster: "main", namespace: at.scene.namespace, code: "CLUSTER_FORBIDDEN" },
      ]);
    });

    it("reports a Secret as unknown if it lacks permission to read it", async () => {
      const source = await at.scene.createSource(anyName(), '{"password":"canary-7f3a9c1e-first"}');
      const sweeper = await startSweeper(used.backend, { bindings: [bindTo(source.name, "db")] });
      const report = await sweeper.sweep(METADATA);
      expect(report.checked).toBe(0);
      expect(findingsIn(report)).toEqual([]);
      expect(unknownIn(report).map(({ code }) => code)).toEqual(["CLUSTER_FORBIDDEN"]);
    });

    it("as a plan reports its actions, and changes nothing", async () => {
      const { source, sweeper } = await openSynced();
      await at.scene.rotate(source, '{"user":"app","password":"canary-7f3a9c1e-second"}');
      const before = await at.scene.readSecret("db");
      const report = await sweeper.sweep({ ...METADATA, plan: true });
      expect(only(report)).toMatchObject({ finding: "STALE", action: "update" });
      expect(await at.scene.readSecret("db")).toEqual(before);
    });
  });

  describe("a sweep by values", () => {
    it("as a plan names the keys that a repair would add, change and remove, and no value", async () => {
      const { source, sweeper } = await openSynced();
      await at.scene.rotate(source, '{"password":"canary-7f3a9c1e-second","more":"canary-7f3a9c1e-more"}');

      const report = await sweeper.sweep({ ...VALUES, plan: true });

      expect(only(report)).toMatchObject({
        finding: "STALE",
        changes: [
          { key: "password", what: "changed" },
          { key: "more", what: "added" },
          { key: "user", what: "removed" },
        ],
        action: "update",
      });
      expect(JSON.stringify(report)).not.toContain("canary-7f3a9c1e");
    });

    it("as a plan names the keys of an absent Secret", async () => {
      const { sweeper } = await openSynced();
      await at.scene.deleteSecret("db");

      expect(only(await sweeper.sweep({ ...VALUES, plan: true }))).toMatchObject({
        finding: "MISSING",
        changes: [
          { key: "user", what: "added" },
          { key: "password", what: "added" },
        ],
        action: "create",
      });
    });

    it("finds nothing if nothing drifted", async () => {
      const { sweeper } = await openSynced();
      expect(await sweeper.sweep(VALUES)).toMatchObject({ checked: 1, targets: [] });
    });

    it("finds what forged managedFields hide from a sweep by metadata", async () => {
      const { sweeper } = await openSynced({ adopt: true });
      const { metadata } = await at.scene.readSecret("db");
      await patch({ data: encodeData({ password: "canary-7f3a9c1e-forged" }) });
      await patch({ metadata: { managedFields: metadata.managedFields } });
      expect(codes(await sweeper.sweep(METADATA))).toEqual([]);

      const finding = only(await sweeper.sweep(VALUES));

      expect(finding).toMatchObject({ finding: "VALUE_DIFFERS", outcome: "written" });
      expect(finding.changes).toContainEqual({ key: "password", what: "changed" });
      expect(JSON.stringify(finding)).not.toContain("forged");
      expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-first" });
    });

    it("finds a lost rotation, a missing Secret and a deleted source, like a sweep by metadata", async () => {
      const { source, sweeper } = await openSynced();
      await at.scene.rotate(source, '{"user":"app","password":"canary-7f3a9c1e-second"}');
      expect(codes(await sweeper.sweep(VALUES))).toEqual(["STALE"]);
      await at.scene.deleteSecret("db");
      expect(codes(await sweeper.sweep(VALUES))).toEqual(["MISSING"]);
      await at.scene.deleteSource(source);
      expect(codes(await sweeper.sweep(VALUES))).toEqual(["SOURCE_MISSING"]);
    });
  });
}
