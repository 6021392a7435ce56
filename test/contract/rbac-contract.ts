import { randomUUID } from "node:crypto";
import pMap from "p-map";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Backend } from "../harness/backend.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import {
  applyManifests,
  type Manifest,
  type Narrow,
  printedManifests,
  singleRights,
} from "../harness/printed-roles.ts";
import { labelUpdated, pinnedCluster, startRelay, startSweeper } from "../harness/relay.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { unknownIn } from "../harness/rows.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** All that a binding can require in a cluster: once with named workloads, once with automatically found ones. */
const FLEETS: Readonly<
  Record<string, { restart: unknown; workloads: readonly (readonly [string, string])[] }>
> = {
  "workloads by name": {
    restart: [
      { kind: "Deployment", name: "api" },
      { kind: "Deployment", name: "worker" },
      { kind: "StatefulSet", name: "queue" },
      { kind: "DaemonSet", name: "agent" },
      { kind: "Rollout", name: "web" },
    ],
    workloads: [
      ["Deployment", "api"],
      ["Deployment", "worker"],
      ["StatefulSet", "queue"],
      ["DaemonSet", "agent"],
      ["Rollout", "web"],
    ],
  },
  "workloads that are found": {
    // The delay: after it each workload is read again, by name.
    restart: { workloads: "auto", delaySeconds: 1 },
    workloads: [
      ["Deployment", "api"],
      ["StatefulSet", "queue"],
      ["DaemonSet", "agent"],
      ["Rollout", "web"],
    ],
  },
};

/** What `secret-relay rbac` prints is enough for everything that the bindings ask for, and nothing of it is too much. */
export function describeRbacContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  describeCheck(used);

  describe.each(Object.entries(FLEETS))("the printed Roles, with %s", (_, fleet) => {
    const printed = (bindings: readonly object[]) => {
      const { clusterName: name, region } = used.backend.kubernetes;
      return printedManifests(
        used.backend,
        { clusters: { main: { name, region } }, bindings },
        "--find-orphans",
      );
    };
    const tryWith = async (narrow: Narrow) => {
      const scene = await openScene(used.backend);
      try {
        const bindings = bindingsIn(scene.namespace, fleet.restart);
        await applyManifests(used.backend, scene, await printed(bindings), narrow);
        return await liveThrough(used.backend, scene, { bindings, workloads: fleet.workloads });
      } finally {
        scene.close();
      }
    };

    it("are sufficient", async () => {
      expect(await tryWith((rules) => rules)).toEqual([]);
    });

    it("are minimal: without any single verb on any resource, something fails", async () => {
      const rights = singleRights(await printed(bindingsIn("any", fleet.restart)));
      expect(rights.length).toBeGreaterThan(25);

      const needless = await pMap(
        rights,
        async ({ what, narrow }) => ((await tryWith(narrow)).length === 0 ? [what] : []),
        { concurrency: 4 },
      );

      expect(needless.flat()).toEqual([]);
    }, 240_000);
  });
}

function describeCheck(used: { readonly backend: Backend }): void {
  describe("secret-relay rbac --check", () => {
    const at = useScene(used);
    let desk: Desk;
    beforeEach(() => {
      desk = openDesk(used.backend);
      desk.writeBindings(bindingsIn(at.scene.namespace, [{ kind: "Deployment", name: "api" }]), undefined);
    });
    afterEach(() => desk.close());
    const group = () => ["--group", used.backend.kubernetes.relayGroup];
    const give = async (narrow: Narrow = (rules) => rules) => {
      const { stdout } = await desk.run("rbac", ...group());
      const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
      await applyManifests(used.backend, at.scene, manifests, narrow);
    };

    it("lists each missing permission and its reason, and ends with 1", async () => {
      await give((rules) =>
        rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== "patch") })),
      );

      const { exitCode, stdout, stderr } = await desk.run("rbac", "--check", ...group());

      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/^patch secrets\/db +\S+ +apply the current value$/m);
      expect(stdout).toMatch(/^patch deployments\.apps\/api +\S+ +restart workloads$/m);
      expect(stdout).not.toMatch(/^get /m);
      expect(stderr).toContain("secret-relay rbac | kubectl apply -f -");
    });

    it("finds nothing missing once the Roles are applied", async () => {
      await give();

      const { exitCode, json } = await desk.runJson("rbac", "--check", ...group());

      expect(exitCode).toBe(0);
      expect(json).toMatchObject({ ok: true, cluster: "main" });
      expect((json as { permissions: unknown[] }).permissions.length).toBeGreaterThan(10);
    });

    it("checks cluster-scoped resources at cluster scope", async () => {
      const externalSecrets = { namespaces: [at.scene.namespace] };
      desk.writeBindings([], { main: { ...pinnedCluster(used.backend), externalSecrets } });

      const { exitCode, stdout } = await desk.run("rbac", "--check", ...group());

      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/^list externalsecrets\.external-secrets\.io +scene-/m);
      expect(stdout).toMatch(/^get clustersecretstores\.external-secrets\.io +\(all\)/m);
    });

    it("checks the caller's own permissions when the relay's role runs it", async () => {
      await give();

      const asRelay = await desk.run("rbac", "--check", "--as-self", "--eks-token");
      const aboutGroup = await desk.run("rbac", "--check", "--eks-token", ...group());

      expect([asRelay.exitCode, asRelay.stderr]).toEqual([0, ""]);
      expect(aboutGroup.exitCode).toBe(2);
      expect(aboutGroup.stderr).toContain("cannot check the permissions of group");
      expect(aboutGroup.stderr).toContain("--as-self");
    });
  });
}

const SOURCES = ["db", "cache", "frozen"] as const;

function bindingsIn(namespace: string, restart: unknown): object[] {
  const sourceOf = (name: string) => `${namespace}/${name}`;
  return [
    {
      source: sourceOf("db"),
      deletionPolicy: "delete",
      targets: [{ namespace, name: "db", restart, events: true }],
    },
    {
      source: sourceOf("cache"),
      deletionPolicy: "delete",
      targets: [{ namespace, name: "cache", nudge: true }],
    },
    {
      source: sourceOf("frozen"),
      immutable: true,
      onChange: "replace",
      targets: [{ namespace, name: "frozen" }],
    },
    { source: sourceOf("db"), targets: [{ namespace, name: "db-copy" }] },
  ];
}

const LOGS_OF_TROUBLE = new Set([
  "TARGET_REFUSED",
  "TARGET_FAILED",
  "RESTART_REFUSED",
  "RESTART_FAILED",
  "RESTART_SKIPPED",
  "NUDGE_INCOMPLETE",
  "KUBERNETES_EVENT_FAILED",
]);

/** First syncs, rotations, a sweep, sources that go away: the answer is what did not work. */
async function liveThrough(
  backend: Backend,
  scene: Scene,
  { bindings, workloads }: { bindings: readonly object[]; workloads: readonly (readonly [string, string])[] },
): Promise<string[]> {
  const { namespace, admin } = scene;
  const post = async (path: string, body: object) => {
    const answer = await admin(path, { method: "POST", body });
    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
  };
  for (const [kind, name] of workloads) await post(...workload(namespace, kind, name));
  await post(`/api/v1/namespaces/${namespace}/pods`, podThatMounts("cache"));
  const sources = await Promise.all(
    SOURCES.map((name) => scene.createSource(`${namespace}/${name}`, '{"password":"first"}')),
  );

  const troubles: string[] = [];
  const relay = await startRelay(backend, { bindings });
  const sweeper = await startSweeper(backend, { bindings, env: { DELETIONS_SHARE_MAX_PERCENT: "100" } });
  const follow = async (source: (typeof sources)[number]) => {
    try {
      const { targets } = await relay.invoke(labelUpdated(backend, source));
      troubles.push(...targets.filter(({ outcome }) => outcome !== "written").map(({ code = "" }) => code));
    } catch {
      troubles.push("the invocation failed");
    }
  };
  await Promise.all(sources.map(follow));
  const rotated = await Promise.all(sources.map((source) => scene.rotate(source, '{"password":"second"}')));
  await Promise.all(rotated.map(follow));
  const restarted = relay.logs.filter(({ code }) => code === "WORKLOAD_RESTARTED").length;
  if (restarted !== workloads.length) troubles.push(`${restarted} workloads were restarted`);
  if (!relay.logs.some(({ code }) => code === "PODS_NUDGED")) troubles.push("no Pod was nudged");

  await Promise.all(
    rotated.filter(({ name }) => !name.endsWith("frozen")).map((source) => scene.deleteSource(source)),
  );
  const waiting = (await sweeper.sweep({ sweep: "metadata" })).targets.filter(
    ({ deleteAfter }) => deleteAfter !== undefined,
  );
  await Promise.all(waiting.map(({ name }) => waitOutGracePeriod(scene, name)));
  const report = await sweeper.sweep({ sweep: "metadata" });
  troubles.push(...report.orphansUnknown.map(({ code }) => `orphans unknown: ${code}`));
  troubles.push(...unknownIn(report).map(({ code }) => `unknown: ${code}`));
  const deleted = report.targets.filter(({ outcome }) => outcome === "deleted");
  if (deleted.length !== 2) troubles.push(`${deleted.length} Secrets were deleted`);
  troubles.push(
    ...[...relay.logs, ...sweeper.logs].map(({ code }) => code).filter((code) => LOGS_OF_TROUBLE.has(code)),
  );
  return troubles;
}

/** Moves the first sweep and the last write back by days. A second sweep needs the annotation of the first. */
async function waitOutGracePeriod(scene: Scene, name: string): Promise<void> {
  const { goneSince, writtenAt } = RELAY_METADATA.annotations;
  const { metadata } = await scene.readSecret(name);
  if (metadata.annotations?.[goneSince] === undefined) return;
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  await scene.patchSecret(name, {
    metadata: { annotations: { [writtenAt]: daysAgo(3), [goneSince]: daysAgo(2) } },
  });
}

function workload(namespace: string, kind: string, name: string): [path: string, body: object] {
  const [apiVersion, plural] =
    kind === "Rollout" ? ["argoproj.io/v1alpha1", "rollouts"] : ["apps/v1", `${kind.toLowerCase()}s`];
  const labels = { app: name };
  const containers = [
    { name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name: "db" } }] },
  ];
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
    ...(kind === "StatefulSet" && { serviceName: name }),
  };
  const path = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
  return [path, { apiVersion, kind, metadata: { name }, spec }];
}

function podThatMounts(secretName: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `reader-${randomUUID().slice(0, 8)}` },
    spec: {
      containers: [{ name: "main", image: "example.com/main:1" }],
      volumes: [{ name: "secret", secret: { secretName } }],
    },
  };
}
