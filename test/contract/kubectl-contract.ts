import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKubectlOrReport } from "../harness/find-kubectl.ts";

/** A cluster that kubectl reaches by a kubeconfig; it has the namespace `shop`. */
export type KubectlCluster = { kubeconfig: string; stop(): Promise<void> };

/** The commands of kubectl that the pages and the messages of the relay tell you to type, and those beside them. */
export function describeKubectlContract(
  start: () => Promise<KubectlCluster>,
  /** A kube-apiserver alone rolls nothing out, and one built from its module has no version. */
  { isWhole }: { isWhole: boolean },
): void {
  const kubectl = findKubectlOrReport();
  if (kubectl === undefined) return;

  let cluster: KubectlCluster;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-"));
    cluster = await start();
    for (const [name, manifests] of Object.entries(MANIFESTS)) {
      const documents = [manifests].flat().map((manifest) => JSON.stringify(manifest));
      writeFileSync(join(folder, name), documents.join("\n---\n"));
    }
    // The first command reads what the server has, and the others find it in the cache.
    await run("get namespaces");
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = async (command: string, editor = "true"): Promise<string> => {
    const env = {
      HOME: folder,
      PATH: process.env.PATH,
      KUBECONFIG: cluster.kubeconfig,
      KUBECACHEDIR: join(folder, "cache"),
      KUBE_EDITOR: editor,
    };
    // Words in quotes keep their spaces.
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    const { stdout, stderr } = await execute(kubectl, words, { env, cwd: folder, timeout: 15_000 });
    return `${stdout}${stderr}`;
  };
  const secretOf = async (name: string) => JSON.parse(await run(`get secret ${name} -n shop -o json`));

  describe.concurrent("kubectl", () => {
    it("creates a Secret, and does not on a dry run", async () => {
      expect(await run("create secret generic made -n shop --from-literal=password=first")).toBe(
        "secret/made created\n",
      );
      await run("create secret generic dry -n shop --from-literal=a=b --dry-run=server");
      expect(await run("get secret made -n shop -o 'jsonpath={.data.password}'")).toBe("Zmlyc3Q=");
      await expect(run("get secret dry -n shop")).rejects.toThrow("NotFound");
    });

    it("applies manifests twice, and the relay's Role among them", async () => {
      const kinds = ["secret/applied", "role.rbac.authorization.k8s.io/relay"];
      expect(await run("apply -f manifests.yaml")).toBe(kinds.map((kind) => `${kind} created\n`).join(""));
      expect(await run("apply -f manifests.yaml")).toBe(kinds.map((kind) => `${kind} unchanged\n`).join(""));
    });

    it("applies on the server", async () => {
      expect(await run("apply --server-side -f server-side.json")).toContain("serverside-applied");
      const { managedFields } = JSON.parse(
        await run("get secret server-side -n shop -o json --show-managed-fields"),
      ).metadata;
      expect(managedFields).toMatchObject([{ manager: "kubectl", operation: "Apply" }]);
    });

    it("reports a misspelt field", async () => {
      await expect(run("apply -f misspelt.json")).rejects.toThrow('unknown field "stringDat"');
    });

    it("patches, edits, labels, annotates and deletes", async () => {
      await run("create secret generic changed -n shop --from-literal=password=a");
      await run(`patch secret changed -n shop --type merge -p '{"data":{"password":"eA=="}}'`);
      await run(`patch secret changed -n shop -p '{"data":{"user":"eA=="}}'`);
      await run("edit secret changed -n shop", "sed -i s/user:/name:/");
      await run("annotate secret changed -n shop example.com/a=b example.com/c=d");
      await run("annotate secret changed -n shop example.com/c-");
      await run("label secret changed -n shop secret-relay/managed=true");

      expect(await secretOf("changed")).toMatchObject({
        data: { password: "eA==", name: "eA==" },
        metadata: { annotations: { "example.com/a": "b" }, labels: { "secret-relay/managed": "true" } },
      });
      expect(await run("get secrets -A -l secret-relay/managed=true")).toMatch(
        /NAMESPACE +NAME +TYPE +DATA +AGE\nshop +changed +Opaque +2 /,
      );
      expect(await run("delete secret changed --namespace shop")).toContain("deleted");
    });

    it("describes a Secret, and shows the Events about it", async () => {
      await run("create secret generic described -n shop --from-literal=password=a");
      const { uid } = (await secretOf("described")).metadata;
      writeFileSync(join(folder, "event.json"), JSON.stringify(eventAbout("described", uid)));
      await run("create -f event.json");

      expect(await run("describe secret described -n shop")).toContain("password:  1 bytes");
      expect(await run("events --for secret/described -n shop")).toMatch(
        /SecretUpdated +Secret\/described +Updated/,
      );
      expect(await run("get events -n shop")).toMatch(/Normal +SecretUpdated +secret\/described +Updated/);
    });

    it("shows the caller's identity and permissions", async () => {
      expect(await run("auth can-i patch secrets -n shop")).toBe("yes\n");
      expect(await run("auth whoami")).toContain("system:masters");
    });

    it("restarts a Deployment", async () => {
      await run("apply -f deployment.json");
      expect(await run("rollout restart deployment/web -n shop")).toContain("restarted");
      const { template } = JSON.parse(await run("get deployment web -n shop -o json")).spec;
      expect(template.metadata.annotations).toHaveProperty(["kubectl.kubernetes.io/restartedAt"]);
      expect(template.spec.containers).toMatchObject([{ name: "web", image: "example.com/web:1" }]);
    });

    it.runIf(isWhole)("waits until a rollout is done, and shows the version of the server", async () => {
      const manifest = join(folder, "rolled.json");
      const deployment = MANIFESTS["deployment.json"];
      writeFileSync(
        manifest,
        JSON.stringify({ ...deployment, metadata: { ...deployment.metadata, name: "rolled" } }),
      );
      await run("apply -f rolled.json");
      await run("rollout restart deployment/rolled -n shop");
      expect(await run("rollout status deployment/rolled -n shop --timeout 10s")).toContain(
        'deployment "rolled" successfully rolled out',
      );
      expect(await run("version")).toContain("Server Version: v1.36.3");
    });

    it("waits for a Secret", async () => {
      await run("create secret generic waited -n shop --from-literal=password=first");
      const wait = "wait secret/waited -n shop --timeout 10s --for";
      expect(await run(`${wait} 'jsonpath={.type}=Opaque'`)).toContain("condition met");
    });

    it("lists what the server has", async () => {
      expect(await run("api-resources")).toMatch(/^secrets +v1 +true +Secret$/m);
      expect(await run("get all -n shop")).not.toContain("error");
    });
  });
}

const execute = promisify(execFile);

const secret = (name: string, more: object) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "shop" },
  ...more,
});
const MANIFESTS = {
  "manifests.yaml": [
    secret("applied", { data: { password: "Zmlyc3Q=" } }),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "relay", namespace: "shop" },
      rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: ["db"], verbs: ["get", "patch"] }],
    },
  ],
  "server-side.json": secret("server-side", { stringData: { password: "first" } }),
  "misspelt.json": secret("misspelt", { stringDat: { password: "first" } }),
  "deployment.json": {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "example.com/web:1" }] },
      },
    },
  },
};
const eventAbout = (name: string, uid: string) => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "about-a-secret", namespace: "shop" },
  eventTime: "2026-11-24T10:00:00.000000Z",
  type: "Normal",
  reason: "SecretUpdated",
  action: "Sync",
  note: "Updated",
  reportingController: "secret-relay",
  reportingInstance: "secret-relay",
  regarding: { apiVersion: "v1", kind: "Secret", namespace: "shop", name, uid },
});
