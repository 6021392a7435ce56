import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "./backend.ts";
import { adminKubeconfig, type Desk, openDesk } from "./command-line.ts";
import { pinnedCluster } from "./relay.ts";
import { useBackend, useScene } from "./use-scene.ts";

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
  const bindSource = async (ofTarget: object = {}) => {
    const source = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, first);
    desk.writeBindings([
      { source: source.name, targets: [{ namespace: at.scene.namespace, name: "db", ...ofTarget }] },
    ]);
    return source;
  };

  describe("secret-relay sync", () => {
    it("makes the Secret, and says which version it holds now", async () => {
      const source = await bindSource();

      const { exitCode, json, stderr } = await desk.runJson("sync", secret("db"));

      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      expect(json).toEqual({
        ok: true,
        targets: [
          {
            target: { cluster: "main", namespace: at.scene.namespace, name: "db" },
            source: source.name,
            outcome: "written",
            before: null,
            after: { versionId: source.versionId, writtenAt: expect.any(String) },
            currentVersionId: source.versionId,
            stale: false,
          },
        ],
      });
      expect(await at.scene.readData("db")).toEqual(JSON.parse(first));
    });

    it.each(["its name", "its ARN", "--all"])("carries a rotation over, asked by %s", async (asked) => {
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

    it("ends with 1 when a Secret is still stale, and says why", async () => {
      await at.scene.createSecret("db", { user: "somebody" });
      await bindSource();

      const { exitCode, json, stderr } = await desk.runJson("sync", secret("db"));

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        ok: false,
        targets: [{ outcome: "refused", code: "TARGET_NOT_OURS", stale: true }],
      });
      expect(stderr).toBe("");
    });

    it("reaches the cluster by an EKS token where no context leads there", async () => {
      const source = await bindSource();
      desk.write("kubeconfig", { apiVersion: "v1", kind: "Config" });
      await at.scene.grant(["db"]);

      const { exitCode, json } = await desk.runJson("sync", "--all");

      expect(json).toMatchObject({ targets: [{ after: { versionId: source.versionId } }] });
      expect(exitCode).toBe(0);
    });

    it("tells a user whom RBAC does not allow it that it is them, and which way is left", async () => {
      await bindSource();

      const { exitCode, stderr } = await desk.run("sync", "--all", "--eks-token");

      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/CLUSTER_FORBIDDEN: You \(EKS token of arn:aws:\S+\) may not get Secret /);
      expect(stderr).toContain("--via-lambda");
    });

    it("tells of a login that the cluster does not accept how to renew it", async () => {
      await bindSource();
      desk.write("kubeconfig", adminKubeconfig(used.backend, { token: "of-last-year" }));

      const { exitCode, stderr } = await desk.run("sync", "--all");

      expect(exitCode).toBe(1);
      expect(stderr).toContain("CLUSTER_TOKEN_REFUSED");
      const { clusterName, region } = used.backend.kubernetes;
      expect(stderr).toContain(`aws eks update-kubeconfig --name ${clusterName} --region ${region}`);
    });

    it("logs in by the program that a kubeconfig names, once for many calls", async () => {
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

    it("suggests what is bound when nothing is meant, and ends with 2", async () => {
      const source = await bindSource();

      const { exitCode, stderr } = await desk.run("sync", `${at.scene.namespace}/bd`);

      expect(exitCode).toBe(2);
      expect(stderr).toContain(`Did you mean ${secret("db")}?`);
      expect(stderr).toContain(source.name);
    });

    it("does not take the context of another cluster", async () => {
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
    it("says of each binding what it holds and since when, and ends with 0 when all are current", async () => {
      const source = await bindSource();
      await desk.run("sync", "--all");

      const { exitCode, json } = await desk.runJson("status");

      expect(json).toMatchObject({
        ok: true,
        bindings: [
          {
            target: { cluster: "main", namespace: at.scene.namespace, name: "db" },
            source: source.name,
            state: "current",
            versionId: source.versionId,
            currentVersionId: source.versionId,
            syncedAt: expect.stringMatching(/Z$/),
          },
        ],
      });
      expect(exitCode).toBe(0);
    });

    it("puts the worst first, and says of each what to do", async () => {
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
        bindings: [
          {
            target: { name: "a-stale" },
            state: "stale",
            code: "STALE",
            advice: `Write it now: secret-relay sync ${name}/a-stale`,
          },
          { target: { name: "b-gone" }, state: "source-gone", code: "SOURCE_MISSING" },
          { target: { name: "c-foreign" }, state: "refused", code: "NOT_OURS" },
          { target: { name: "d-tampered" }, state: "drifted", code: "TAMPERED" },
        ],
      });
      expect(stdout).toContain("data.password changed by kubectl-edit");
      expect(stdout).toContain("4 bound: 1 stale, 1 source-gone, 1 refused, 1 drifted.");
    });

    it("is not stopped by what it may not see, and says so", async () => {
      await bindSource();

      const { exitCode, json } = await desk.runJson("status", "--eks-token");

      expect(exitCode).toBe(1);
      expect(json).toMatchObject({ bindings: [{ state: "unknown", code: "CLUSTER_FORBIDDEN" }] });
    });

    it("needs no more than `get` by name, and finds the last error in the relay's Events where it may", async () => {
      await at.scene.createSecret("db", { user: "somebody" });
      await at.scene.grant(["db"]);
      await bindSource({ events: true });
      await desk.run("sync", "--all"); // refused, and told as an Event

      const limited = await desk.runJson("status", "--eks-token");
      const admin = await desk.runJson("status");

      const binding = { state: "refused", code: "NOT_OURS" };
      expect(limited.json).toMatchObject({ bindings: [binding] });
      expect(limited.json).not.toHaveProperty("bindings[0].lastError");
      const lastError = {
        from: "Kubernetes Event",
        message: expect.stringContaining("TARGET_NOT_OURS"),
        at: expect.stringMatching(/Z$/),
      };
      expect(admin.json).toMatchObject({ bindings: [{ ...binding, lastError }] });
    });
  });
}
