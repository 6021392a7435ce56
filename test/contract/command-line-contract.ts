import { randomUUID } from "node:crypto";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import reportSchema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { Backend } from "../harness/backend.ts";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster } from "../harness/relay.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const validateReport = new Ajv2020({ allErrors: true, strict: true }).compile(reportSchema);
const reportProblems = (report: unknown) => (validateReport(report) ? [] : validateReport.errors);

/** The commands that talk to AWS and clusters; the same on the sandbox and on real servers. */
export function describeCommandLineContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let desk: Desk;
  beforeEach(() => {
    desk = openDesk(used.backend);
  });
  afterEach(() => desk.close());

  const first = '{"user":"app","password":"canary-7f3a9c1e-first"}';
  const second = '{"user":"app","password":"canary-7f3a9c1e-second"}';
  const secret = (name: string): string => `${at.scene.namespace}/${name}`;

  /** A source bound to Secret `db`, not synced yet. */
  const bindSource = async ({ ofTarget = {}, ofBinding = {} } = {}) => {
    const source = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, first);
    desk.writeBindings([
      {
        source: source.name,
        targets: [{ namespace: at.scene.namespace, name: "db", ...ofTarget }],
        ...ofBinding,
      },
    ]);
    return source;
  };

  describe("secret-relay sync", () => {
    it("creates the Secret, and prints its version", async () => {
      const source = await bindSource();

      const { exitCode, json, stderr } = await desk.runJson("sync", secret("db"));

      expect(stderr).toMatch(/^Account [0-9]{12}, Region .+\nCluster main: .+\n$/);
      expect(exitCode).toBe(0);
      expect(json).toEqual({
        ok: true,
        targets: [
          {
            cluster: "main",
            namespace: at.scene.namespace,
            name: "db",
            source: source.name,
            finding: "MISSING",
            action: "create",
            observed: "values",
            outcome: "written",
            before: null,
            after: { versionId: source.versionId, writtenAt: expect.any(String) },
            versionId: source.versionId,
            writtenAt: expect.any(String),
            currentVersionId: source.versionId,
            sourceChangedAt: expect.any(String),
            changes: [
              { key: "user", what: "added" },
              { key: "password", what: "added" },
            ],
            stale: false,
          },
        ],
      });
      expect(await at.scene.readData("db")).toEqual(JSON.parse(first));
    });

    it.each(["its name", "its ARN", "--all"])("syncs a rotation, selected by %s", async (asked) => {
      const source = await bindSource();
      await desk.run("sync", "--all");
      const { versionId } = await at.scene.rotate(source, second);

      const words = { "its name": source.name, "its ARN": source.arn }[asked] ?? "--all";
      const { exitCode, stdout } = await desk.run("sync", words);

      expect(exitCode).toBe(0);
      expect(stdout).toContain(`main/${secret("db")}`);
      expect(stdout).toMatch(
        new RegExp(`written .*${source.versionId.slice(0, 8)}.*${versionId.slice(0, 8)}.* current`),
      );
      expect(await at.scene.readData("db")).toEqual(JSON.parse(second));
    });

    it("ends with 1 if a Secret is still stale, with the reason", async () => {
      await at.scene.createSecret("db", { user: "somebody" });
      await bindSource();

      const { exitCode, json, stderr } = await desk.runJson("sync", secret("db"));

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        ok: false,
        targets: [{ outcome: "refused", code: "TARGET_NOT_OURS", stale: true }],
      });
      expect(stderr).toMatch(/^Account [0-9]{12}, Region .+\nCluster main: .+\n$/);
    });

    it("uses an EKS token if no context matches the cluster", async () => {
      const source = await bindSource();
      desk.write("kubeconfig", { apiVersion: "v1", kind: "Config" });
      await at.scene.grant(["db"]);

      const { exitCode, json } = await desk.runJson("sync", "--all");

      expect(json).toMatchObject({ targets: [{ after: { versionId: source.versionId } }] });
      expect(exitCode).toBe(0);
    });

    it("reports that the caller lacks a permission in RBAC, and the alternatives", async () => {
      await bindSource();

      const { exitCode, stderr } = await desk.run("sync", "--all", "--eks-token");

      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /CLUSTER_FORBIDDEN: You \(EKS token of arn:aws:\S+\) lack the permission to get Secret /,
      );
      expect(stderr).toContain("--via-lambda");
    });

    it("explains how to renew a login that the cluster refuses", async () => {
      await bindSource();
      desk.write("kubeconfig", adminKubeconfig(used.backend, { token: "of-last-year" }));

      const { exitCode, stderr } = await desk.run("sync", "--all");

      expect(exitCode).toBe(1);
      expect(stderr).toContain("CLUSTER_TOKEN_REFUSED");
      const { clusterName, region } = used.backend.kubernetes;
      expect(stderr).toContain(`aws eks update-kubeconfig --name ${clusterName} --region ${region}`);
    });

    it("logs in with the program of a kubeconfig, once for many calls", async () => {
      await bindSource();
      const counted = `${desk.folder}/logins`;
      const token = {
        apiVersion: "client.authentication.k8s.io/v1beta1",
        kind: "ExecCredential",
        status: { token: used.backend.kubernetes.adminToken },
      };
      const script = `require("fs").appendFileSync(${JSON.stringify(counted)}, "x"); console.log(${JSON.stringify(JSON.stringify(token))})`;
      const exec = {
        apiVersion: "client.authentication.k8s.io/v1beta1",
        command: process.execPath,
        args: ["-e", script],
      };
      desk.write("kubeconfig", adminKubeconfig(used.backend, { exec }));

      const { exitCode } = await desk.run("sync", "--all");

      expect(exitCode).toBe(0);
      expect(desk.read("logins")).toBe("x");
    });

    it("suggests bound names for an unknown name, and ends with 2", async () => {
      const source = await bindSource();

      const { exitCode, stderr } = await desk.run("sync", `${at.scene.namespace}/bd`);

      expect(exitCode).toBe(2);
      expect(stderr).toContain(`Did you mean ${secret("db")}?`);
      expect(stderr).toContain(source.name);
    });

    it("does not use the context of another cluster", async () => {
      await bindSource();
      const elsewhere = { ...pinnedCluster(used.backend), endpoint: "https://127.0.0.1:1" };
      desk.writeBindings([{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }], {
        main: { ...elsewhere, name: "another" },
      });

      const { stderr } = await desk.run("sync", "--all");

      expect(stderr).toContain("CLUSTER_UNAVAILABLE");
    });
  });

  describe("secret-relay status", () => {
    it("shows version and age of each Secret, and ends with 0 if all are current", async () => {
      const source = await bindSource();
      await desk.run("sync", "--all");

      const { exitCode, json } = await desk.runJson("status");

      expect(json).toMatchObject({
        ok: true,
        targets: [
          {
            cluster: "main",
            namespace: at.scene.namespace,
            name: "db",
            source: source.name,
            finding: null,
            action: "none",
            versionId: source.versionId,
            currentVersionId: source.versionId,
            writtenAt: expect.stringMatching(/Z$/),
          },
        ],
      });
      expect(exitCode).toBe(0);
    });

    it("lists the worst first, each with its remedy", async () => {
      const rotated = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, first);
      const name = at.scene.namespace;
      const bind = (source: string, secretName: string) => ({
        source,
        targets: [{ namespace: name, name: secretName }],
      });
      desk.writeBindings([
        bind(rotated.name, "a-stale"),
        bind("prod/nowhere", "b-gone"),
        bind(rotated.name, "c-foreign"),
        bind(rotated.name, "d-tampered"),
      ]);
      await at.scene.createSecret("c-foreign", { user: "canary-7f3a9c1e" });
      await desk.run("sync", `${name}/a-stale`);
      await at.scene.rotate(rotated, second);
      await desk.run("sync", `${name}/d-tampered`);
      await at.scene.patchSecret(
        "d-tampered",
        { data: { password: "Y2FuYXJ5LTdmM2E5YzFl" } },
        "kubectl-edit",
      );

      const { exitCode, json } = await desk.runJson("status");
      const { stdout } = await desk.run("status");

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        targets: [
          { name: "a-stale", finding: "STALE", action: "update" },
          { name: "b-gone", finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
          { name: "c-foreign", finding: "NOT_OURS", action: "refuse", code: "TARGET_NOT_OURS" },
          { name: "d-tampered", finding: "TAMPERED", action: "update" },
        ],
      });
      expect(stdout).toContain(`$ secret-relay sync ${name}/a-stale`);
      expect(stdout).toContain("→ Secrets Manager has no such secret. Create or restore it");
      expect(stdout).toContain("→ Another field manager created this Secret. Set adopt: true");
      expect(stdout).toContain("data.password changed by kubectl-edit");
      expect(stdout).toContain("4 Secret(s): 1 STALE, 1 SOURCE_MISSING, 1 NOT_OURS, 1 TAMPERED.");
    });

    it("reports Secrets without permission as unknown, and continues", async () => {
      await bindSource();

      const { exitCode, json } = await desk.runJson("status", "--eks-token");

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        targets: [{ finding: null, action: "unknown", code: "CLUSTER_FORBIDDEN" }],
        orphansUnknown: [{ cluster: "main", namespace: at.scene.namespace, code: "CLUSTER_FORBIDDEN" }],
      });
    });

    it("needs only `get` by name, and finds the last error in the relay's Events if permitted", async () => {
      await at.scene.createSecret("db", { user: "somebody" });
      await at.scene.grant(["db"]);
      await bindSource({ ofTarget: { events: true } });
      await desk.run("sync", "--all"); // refused, and reported as an Event

      const limited = await desk.runJson("status", "--eks-token");
      const admin = await desk.runJson("status");

      const row = { finding: "NOT_OURS", action: "refuse", code: "TARGET_NOT_OURS" };
      expect(limited.json).toMatchObject({ targets: [row] });
      expect(limited.json).not.toHaveProperty("targets[0].lastError");
      const lastError = {
        from: "Kubernetes Event",
        message: expect.stringContaining("TARGET_NOT_OURS"),
        at: expect.stringMatching(/Z$/),
      };
      expect(admin.json).toMatchObject({ targets: [{ ...row, lastError }] });
    });
  });

  /** A Secret that lags behind its source, which has a key more and one less by now. */
  const makeStale = async () => {
    const source = await bindSource();
    await desk.run("sync", "--all");
    return at.scene.rotate(source, '{"password":"canary-7f3a9c1e-second","token":"canary-7f3a9c1e"}');
  };

  /** A Secret that the bindings name no longer, and that the relay may delete. */
  const makeOrphan = async () => {
    const { name } = await bindSource({ ofBinding: { deletionPolicy: "delete" } });
    await desk.run("sync", "--all");
    desk.writeBindings([{ source: name, targets: [{ namespace: at.scene.namespace, name: "other" }] }]);
  };

  /** As a sweep of the deployed function notes it, of a Secret that was written an hour earlier. */
  const noteAsGone = (since: Date) => {
    const annotations = {
      "secret-relay/written-at": new Date(since.getTime() - 3_600_000).toISOString(),
      "secret-relay/gone-since": since.toISOString(),
    };
    return at.scene.patchSecret("db", { metadata: { annotations } });
  };

  describe("secret-relay plan", () => {
    it("shows what it would create, and changes nothing", async () => {
      const { name } = await bindSource();

      const { exitCode, stdout } = await desk.run("plan", "--values");

      expect(exitCode).toBe(0);
      expect(stdout).toBe(
        [
          `+ main/${secret("db")}  create  MISSING  from ${name}`,
          "    The bound Secret does not exist in the cluster.",
          "    - key user: added",
          "    - key password: added",
          "    → None for a new binding. If the Secret keeps disappearing, find out what deletes it.",
          `    $ secret-relay sync ${secret("db")}`,
          "",
          "Plan: 1 to create, 0 to update, 0 to delete; 0 unchanged, 0 refused, 0 unknown.",
          "",
        ].join("\n"),
      );
      expect(await at.scene.readSecret("db")).toBeUndefined();
    });

    it("names the keys that a new version changes, with --values", async () => {
      await makeStale();

      const { json } = await desk.runJson("plan", secret("db"), "--values");

      expect(json).toMatchObject({
        changes: true,
        targets: [
          {
            finding: "STALE",
            action: "update",
            observed: "values",
            changes: [
              { key: "password", what: "changed" },
              { key: "token", what: "added" },
              { key: "user", what: "removed" },
            ],
          },
        ],
      });
    });

    it("does not name keys without --values", async () => {
      await makeStale();

      const { json } = await desk.runJson("plan", secret("db"));

      expect(json).toMatchObject({
        mode: "metadata",
        targets: [{ finding: "STALE", action: "update", observed: "metadata" }],
      });
      expect(json).not.toHaveProperty("targets[0].changes");
    });

    it.each([
      { it: "there is nothing to do", stale: false, code: 0 },
      { it: "there is something to do", stale: true, code: 1 },
    ])("with --exit-code ends with $code when $it", async ({ stale, code }) => {
      if (stale) await makeStale();
      else {
        await bindSource();
        await desk.run("sync", "--all");
      }

      expect((await desk.run("plan")).exitCode).toBe(0);
      expect((await desk.run("plan", "--exit-code")).exitCode).toBe(code);
    });

    it.each([["--values"], []])("shows that an edited key is put back (%s)", async (...values) => {
      await bindSource();
      await desk.run("sync", "--all");
      await at.scene.patchSecret("db", { data: { password: "Y2FuYXJ5LTdmM2E5YzFl" } }, "kubectl-edit");

      const planned = await desk.runJson("plan", ...values);
      const synced = await desk.runJson("sync", "--all");

      const row = { finding: "TAMPERED", action: "update" };
      expect(planned.json).toMatchObject({ changes: true, targets: [row] });
      expect(synced.json).toMatchObject({ targets: [{ ...row, outcome: "written" }] }); // the plan was right
      expect(await at.scene.readData("db")).toEqual(JSON.parse(first));
    });

    it("shows that a shared Secret keeps a key which the relay never wrote", async () => {
      const source = await bindSource({ ofBinding: { ownership: "keys" } });
      await desk.run("sync", "--all");
      await at.scene.patchSecret("db", { data: { token: "Y2FuYXJ5LTdmM2E5YzFl" } }, "kubectl-edit");
      await at.scene.rotate(source, '{"user":"app","token":"canary-7f3a9c1e-second"}');

      const planned = await desk.runJson("plan", "--values");
      const synced = await desk.runJson("sync", "--all");

      const refused = { action: "refuse", code: "FIELD_OWNED_BY_ANOTHER" };
      expect(planned.json).toMatchObject({ targets: [refused] });
      expect(synced.json).toMatchObject({ targets: [{ ...refused, outcome: "refused" }] }); // the plan was right
      expect(await at.scene.readData("db")).toMatchObject({ token: "canary-7f3a9c1e" });
    });

    it("lists Secrets that are no longer bound, with their action", async () => {
      await makeOrphan();

      const { json } = await desk.runJson("plan");
      await noteAsGone(new Date(Date.now() - 2 * 86_400_000));
      const later = await desk.runJson("plan");

      const orphan = { name: "db", finding: "ORPHAN" };
      const other = { name: "other", action: "create" };
      expect(json).toMatchObject({
        targets: [{ ...orphan, action: "none", deleteAfter: expect.stringMatching(/Z$/) }, other],
      });
      expect(later.json).toMatchObject({ targets: [{ ...orphan, action: "delete" }, other] });
    });

    it("works with only `get` by name, and reports the namespaces that it could not list", async () => {
      await bindSource();
      await at.scene.grant(["db"]);

      const { exitCode, json } = await desk.runJson("plan", "--eks-token");

      expect(exitCode).toBe(0);
      expect(json).toMatchObject({
        summary: { create: 1 },
        orphansUnknown: [{ cluster: "main", namespace: at.scene.namespace, code: "CLUSTER_FORBIDDEN" }],
      });
    });
  });

  describe("secret-relay sweep", () => {
    it("finds drift, and changes nothing with --plan", async () => {
      await makeStale();

      const { exitCode, stdout } = await desk.run("sweep", "--plan");

      expect(exitCode).toBe(1);
      expect(stdout).toMatch(new RegExp(`main/${secret("db")} +STALE +update +prod/`));
      expect(stdout).toMatch(/- stale for at least \d+s/);
      expect(stdout).toContain("1 of 1 bound Secrets compared by metadata, 1 finding(s).");
      expect(await at.scene.readData("db")).toEqual(JSON.parse(first));
    });

    it("repairs it, and prints and writes the report that its schema describes", async () => {
      await makeStale();

      const { exitCode, json } = await desk.runJson("sweep", "--out", "report.json");

      expect(exitCode).toBe(0);
      expect(reportProblems(json)).toEqual([]);
      expect(JSON.parse(desk.read("report.json"))).toEqual(json);
      expect(json).toMatchObject({
        plan: false,
        targets: [{ finding: "STALE", action: "update", outcome: "written" }],
      });
      expect(Object.keys((await at.scene.readData("db")) ?? {})).toEqual(["password", "token"]);
    });

    it("finds a hidden edit by values", async () => {
      await bindSource();
      await desk.run("sync", "--all");
      const { metadata } = await at.scene.readSecret("db");
      await at.scene.patchSecret("db", { data: { password: "Y2FuYXJ5LTdmM2E5YzFl" } }, "kubectl-edit");
      await at.scene.patchSecret(
        "db",
        { metadata: { managedFields: metadata.managedFields } },
        "kubectl-edit",
      );

      const byMetadata = await desk.runJson("sweep", "--plan");
      const byValues = await desk.runJson("sweep", "--plan", "--values");

      expect(byMetadata.json).toMatchObject({ targets: [{ finding: null, action: "none" }] });
      expect(byValues.json).toMatchObject({
        targets: [{ finding: "VALUE_DIFFERS", action: "update" }],
      });
    });

    it("ends with 1 if a Secret is unknown, and reports it", async () => {
      await bindSource();

      const { exitCode, stdout, stderr } = await desk.run("sweep", "--eks-token");

      expect(exitCode).toBe(1);
      expect(stdout).toContain(`main/${secret("db")}: unknown\n    CLUSTER_FORBIDDEN`);
      expect(stdout).toMatch(/→ You \(EKS token of arn:aws:\S+\) lack the permission to /);
      expect(stdout).toContain("0 of 1 bound Secrets compared");
      expect(stderr).toMatch(/orphans are unknown, .*\(CLUSTER_FORBIDDEN\)/);
    });

    it("deletes nothing from a command line, also once the grace period is over", async () => {
      await makeOrphan();
      await noteAsGone(new Date(Date.now() - 2 * 86_400_000));

      const { exitCode, json } = await desk.runJson("sweep");

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        targets: expect.arrayContaining([
          expect.objectContaining({
            name: "db",
            action: "delete",
            outcome: "held-back",
            code: "LOCAL_BINDINGS",
          }),
        ]),
      });
      expect(await at.scene.readData("db")).toEqual(JSON.parse(first));
    });
  });
}
