import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { findingsIn } from "../harness/rows.ts";
import type { TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

type Rule = { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] };

const STAMP = "secret-relay/restarted-for-db";
const PLACES: Readonly<Record<string, string>> = {
  Deployment: "apps/v1/deployments",
  StatefulSet: "apps/v1/statefulsets",
  DaemonSet: "apps/v1/daemonsets",
  Rollout: "argoproj.io/v1alpha1/rollouts",
};
const WORKLOADS_BY_NAME = (...names: string[]): Rule[] => [
  { apiGroups: ["apps"], resources: ALL_APPS, resourceNames: names, verbs: ["get", "patch"] },
  { apiGroups: ["argoproj.io"], resources: ["rollouts"], resourceNames: names, verbs: ["get", "patch"] },
];
const ALL_APPS = ["deployments", "statefulsets", "daemonsets"];
const AUTO: Rule[] = [{ apiGroups: ["apps"], resources: ALL_APPS, verbs: ["list", "get", "patch"] }];

/** The effects of a changed Secret on its readers, on the sandbox and on real servers. */
export function describeRestartContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const grant = async (rules: readonly Rule[]): Promise<void> => {
    const apiGroup = "rbac.authorization.k8s.io";
    const path = `/apis/${apiGroup}/v1/namespaces/${at.scene.namespace}`;
    const role = { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata: { name: `more-${randomUUID()}` } };
    await at.scene.admin(`${path}/roles`, { method: "POST", body: { ...role, rules } });
    const { status } = await at.scene.admin(`${path}/rolebindings`, {
      method: "POST",
      body: {
        ...role,
        kind: "RoleBinding",
        roleRef: { apiGroup, kind: "Role", name: role.metadata.name },
        subjects: [{ apiGroup, kind: "Group", name: used.backend.kubernetes.relayGroup }],
      },
    });
    expect(status).toBe(201);
    if (used.backend.name === "real") await sleep(300); // until its authorizer has heard of the role
  };

  const pathOf = (kind: string, name = ""): string => {
    const [group, version, resource] = (PLACES[kind] ?? "").split("/");
    const path = `/apis/${group}/${version}/namespaces/${at.scene.namespace}/${resource}`;
    return name === "" ? path : `${path}/${name}`;
  };
  const create = async (kind: string, name: string, spec: object = {}): Promise<void> => {
    const [group, version] = (PLACES[kind] ?? "").split("/");
    const template = {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "example.com/main:1", ...readsDb }] },
    };
    const selector = { matchLabels: { app: name } };
    const body = {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name },
      spec: { selector, template, ...(kind === "StatefulSet" && { serviceName: name }), ...spec },
    };
    const { status, body: answer } = await at.scene.admin(pathOf(kind), { method: "POST", body });
    expect([status, answer.message]).toEqual([201, undefined]);
  };
  const readsDb = { envFrom: [{ secretRef: { name: "db" } }] };
  const read = async (kind: string, name: string) => (await at.scene.admin(pathOf(kind, name))).body;
  const stampOf = async (kind: string, name: string): Promise<string | undefined> => {
    const { metadata, spec } = await read(kind, name);
    return (kind === "Rollout" ? metadata : spec.template.metadata).annotations?.[STAMP];
  };

  /** A source, synced into Secret `db` for the first time; workloads that it restarts come before or after. */
  const open = async (target: object, rules: object = {}) => {
    const source = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, '{"password":"first"}');
    await at.scene.grant(["db"]);
    const bindings = [
      { source: source.name, targets: [{ namespace: at.scene.namespace, name: "db", ...target }], ...rules },
    ];
    const relay = await startRelay(used.backend, { bindings });
    const told = (about: TestSource) => relay.invoke(labelUpdated(used.backend, about));
    const first = await told(source);
    return { source, relay, bindings, told, first };
  };
  const targetOf = (bindings: readonly { targets: readonly object[] }[]) => bindings[0]?.targets[0];
  const restartsOf = (report: Awaited<ReturnType<Awaited<ReturnType<typeof open>>["told"]>>) =>
    restartsIn(report.targets[0]?.restarts as RestartOutcome[]);

  /** No controller runs in this contract, so no rollout completes. */
  const restartsIn = (restarts: readonly RestartOutcome[] = []) =>
    restarts.map(({ workload, outcome, code }) => ({ workload, outcome, ...(code && { code }) }));
  const newRestartsIn = ({ targets }: { targets: readonly TargetRow[] }) =>
    restartsIn(targets.flatMap((row) => row.restarts ?? [])).filter(({ outcome }) => outcome !== "already");

  describe("a restart", () => {
    it.each(Object.keys(PLACES))("rolls a %s once for each version", async (kind) => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create(kind, "shop");
      const { source, told, first } = await open({ restart: [{ kind, name: "shop" }] });
      expect(restartsOf(first)).toEqual([{ workload: `${kind}/shop`, outcome: "already" }]);
      // A Rollout stores its first version and the versions of its restarts in the same field.
      expect(await stampOf(kind, "shop")).toBe(kind === "Rollout" ? source.versionId : undefined);
      expect((await read(kind, "shop")).spec.restartAt).toBeUndefined();

      const second = await at.scene.rotate(source, '{"password":"second"}');
      const report = await told(second);
      const after = await read(kind, "shop");
      const repeated = await told(second);

      expect(restartsOf(report)).toEqual([{ workload: `${kind}/shop`, outcome: "restarted" }]);
      expect(await stampOf(kind, "shop")).toBe(second.versionId);
      expect(after.metadata.generation).toBe(generationAfter(kind, { records: 1, restarts: 1 }));
      expect(after.spec.template.spec.containers[0].name).toBe("main");
      if (kind === "Rollout") expect(Date.parse(after.spec.restartAt)).toBeGreaterThan(Date.now() - 60_000);
      expect(restartsOf(repeated)).toEqual([{ workload: `${kind}/shop`, outcome: "already" }]);
      expect((await read(kind, "shop")).metadata.resourceVersion).toBe(after.metadata.resourceVersion);
    });

    it("happens again for a rollback, which is a change of the data like any other", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      await told(second);

      await at.scene.rollBack(second, source);
      const report = await told(source);

      expect(restartsOf(report)[0]?.outcome).toBe("restarted");
      expect(await stampOf("Deployment", "shop")).toBe(source.versionId);
    });

    it("happens for each of several sources, once for each version of any of them", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const anyName = () => `prod/${randomUUID().slice(0, 8)}`;
      const db = await at.scene.createSource(anyName(), '{"password":"first"}');
      const cache = await at.scene.createSource(anyName(), '{"token":"first"}');
      await at.scene.grant(["db"]);
      const target = {
        namespace: at.scene.namespace,
        name: "db",
        restart: [{ kind: "Deployment", name: "shop" }],
      };
      const relay = await startRelay(used.backend, {
        bindings: [{ sources: [{ source: db.name }, { source: cache.name }], targets: [target] }],
      });
      await relay.invoke(labelUpdated(used.backend, db));
      const stamps = new Set<string | undefined>();

      for (const [source, value] of [
        [db, '{"password":"second"}'],
        [cache, '{"token":"second"}'],
      ] as const) {
        const next = await at.scene.rotate(source, value);
        const report = await relay.invoke(labelUpdated(used.backend, next));
        const repeated = await relay.invoke(labelUpdated(used.backend, next));
        expect(restartsOf(report)).toEqual([{ workload: "Deployment/shop", outcome: "restarted" }]);
        expect(restartsOf(repeated)).toEqual([{ workload: "Deployment/shop", outcome: "already" }]);
        stamps.add(await stampOf("Deployment", "shop"));
      }

      expect(stamps.size).toBe(2);
    });

    describe("for several Secrets or sources that rotate within its delay", () => {
      const restart = { workloads: [{ kind: "Deployment", name: "shop" }], delaySeconds: 7 };
      /** The delay ends when these Secrets have these data. */
      const startWith = async (bindings: readonly object[], data: Readonly<Record<string, object>>) => {
        const areWritten = async () =>
          Promise.all(
            Object.entries(data).map(async ([name, written]) =>
              expect(await at.scene.readData(name)).toEqual(written),
            ),
          );
        const relay = await startRelay(used.backend, {
          bindings,
          wait: async (ms, signal) => {
            if (ms === 7_000) await vi.waitFor(areWritten, { timeout: 20_000 });
            else await used.backend.clock.advance(ms, signal);
          },
        });
        return (source: TestSource) => relay.invoke(labelUpdated(used.backend, source));
      };
      const anyName = () => `prod/${randomUUID().slice(0, 8)}`;
      const readsBoth = {
        template: {
          metadata: { labels: { app: "shop" } },
          spec: {
            containers: [
              {
                ...{ name: "main", image: "example.com/main:1" },
                envFrom: ["db", "cache"].map((name) => ({ secretRef: { name } })),
              },
            ],
          },
        },
      };

      it.each(Object.keys(PLACES))("rolls a %s that reads two Secrets once", async (kind) => {
        await grant(WORKLOADS_BY_NAME("shop"));
        await create(kind, "shop", readsBoth);
        await at.scene.grant(["db", "cache"]);
        const rule = { ...restart, workloads: [{ kind, name: "shop" }] };
        const sources = {
          db: await at.scene.createSource(anyName(), '{"password":"first"}'),
          cache: await at.scene.createSource(anyName(), '{"token":"first"}'),
        };
        const bindings = Object.entries(sources).map(([name, source]) => ({
          source: source.name,
          targets: [{ namespace: at.scene.namespace, name, restart: rule }],
        }));
        const told = await startWith(bindings, { db: { password: "second" }, cache: { token: "second" } });
        for (const source of Object.values(sources)) await told(source);

        const db = await at.scene.rotate(sources.db, '{"password":"second"}');
        const cache = await at.scene.rotate(sources.cache, '{"token":"second"}');
        const reports = await Promise.all([told(db), told(cache)]);

        expect(
          reports
            .flatMap(restartsOf)
            .map(({ outcome }) => outcome)
            .sort(),
        ).toEqual(["already", "restarted"]);
        const { metadata, spec } = await read(kind, "shop");
        const { annotations } = kind === "Rollout" ? metadata : spec.template.metadata;
        expect(annotations["secret-relay/restarted-for-db"]).toBe(db.versionId);
        expect(annotations["secret-relay/restarted-for-cache"]).toBe(cache.versionId);
        expect(metadata.generation).toBe(generationAfter(kind, { records: 2, restarts: 1 }));

        const later = await at.scene.rotate(db, '{"password":"third"}');
        const toldLater = await startWith(bindings, {});
        expect(restartsOf(await toldLater(later))).toEqual([
          { workload: `${kind}/shop`, outcome: "restarted" },
        ]);
      });

      it("rolls the readers of a Secret of two sources once", async () => {
        await grant(WORKLOADS_BY_NAME("shop"));
        await create("Deployment", "shop");
        await at.scene.grant(["db"]);
        const one = await at.scene.createSource(anyName(), '{"password":"first"}');
        const other = await at.scene.createSource(anyName(), '{"token":"first"}');
        const targets = [{ namespace: at.scene.namespace, name: "db", restart }];
        const bindings = [{ sources: [{ source: one.name }, { source: other.name }], targets }];
        const told = await startWith(bindings, { db: { password: "second", token: "second" } });
        await told(one);

        const first = told(await at.scene.rotate(one, '{"password":"second"}'));
        const second = told(await at.scene.rotate(other, '{"token":"second"}'));
        const outcomes = (await Promise.all([first, second])).flatMap(restartsOf);

        expect(outcomes.filter(({ outcome }) => outcome === "restarted")).toHaveLength(1);
        expect(await at.scene.readData("db")).toEqual({ password: "second", token: "second" });
        const { generation } = (await read("Deployment", "shop")).metadata;
        expect(generation).toBe(generationAfter("Deployment", { records: 1, restarts: 1 }));
      });
    });

    it("does not happen for a new version of the same data", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });

      const same = await at.scene.rotate(source, '{"password":"first"}');
      const report = await told(same);

      expect(report.targets[0]).toMatchObject({ outcome: "written", versionId: same.versionId });
      expect(restartsOf(report)).toEqual([{ workload: "Deployment/shop", outcome: "already" }]);
      expect(await stampOf("Deployment", "shop")).toBeUndefined();
    });

    it("finds the workloads that use the Secret, and does not affect others", async () => {
      await grant(AUTO);
      await create("Deployment", "reader");
      await create("DaemonSet", "agent");
      await create("Deployment", "other", {
        template: {
          metadata: { labels: { app: "other" } },
          spec: { containers: [{ name: "main", image: "example.com/main:1" }] },
        },
      });
      const { source, told } = await open({ restart: "auto" });

      const second = await at.scene.rotate(source, '{"password":"second"}');
      const report = await told(second);

      expect(restartsOf(report).map(({ workload, outcome }) => [workload, outcome])).toEqual([
        ["Deployment/reader", "restarted"],
        ["DaemonSet/agent", "restarted"],
      ]);
      expect(await stampOf("Deployment", "other")).toBeUndefined();
    });

    it("is refused for a workload that the Role does not name, and done for a named one", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      await create("Deployment", "other");
      const workloads = ["other", "shop", "absent"].map((name) => ({ kind: "Deployment", name }));
      await grant(WORKLOADS_BY_NAME("absent"));
      const { source, told, relay } = await open({ restart: { workloads, order: "sequence" } });

      const second = await at.scene.rotate(source, '{"password":"second"}');
      const report = await told(second);

      expect(report.targets[0]?.outcome).toBe("written");
      expect(restartsOf(report)).toEqual([
        { workload: "Deployment/other", outcome: "refused", code: "CLUSTER_FORBIDDEN" },
        { workload: "Deployment/shop", outcome: "restarted" },
        { workload: "Deployment/absent", outcome: "refused", code: "WORKLOAD_MISSING" },
      ]);
      expect(relay.metrics).toContainEqual({ name: "WorkloadsRestarted", value: 1 });
      expect(relay.metrics).toContainEqual({ name: "RestartsFailed", value: 1, code: "WORKLOAD_MISSING" });
      expect(relay.logs.map(({ code }) => code)).toEqual(
        expect.arrayContaining(["WORKLOAD_RESTARTED", "RESTART_REFUSED"]),
      );
    });

    it("waits for a paused Deployment, and runs in the first sweep after it is resumed", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop", { paused: true });
      const { source, told, bindings } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      const report = await told(second);
      expect(restartsOf(report)).toEqual([
        { workload: "Deployment/shop", outcome: "skipped", code: "WORKLOAD_PAUSED" },
      ]);

      await at.scene.admin(pathOf("Deployment", "shop"), {
        method: "PATCH",
        contentType: "application/merge-patch+json",
        body: { spec: { paused: false } },
      });
      const sweeper = await startSweeper(used.backend, { bindings });
      const swept = await sweeper.sweep({ sweep: "metadata" });
      const again = await sweeper.sweep({ sweep: "values" });

      expect(findingsIn(swept)).toEqual([]);
      expect(swept.targets[0]?.restarts).toEqual([{ workload: "Deployment/shop", outcome: "restarted" }]);
      expect(newRestartsIn(again)).toEqual([]);
      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
    });

    it("also follows a repair by a sweep", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, bindings } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });
      const second = await at.scene.rotate(source, '{"password":"second"}');

      const sweeper = await startSweeper(used.backend, { bindings });
      const { targets } = await sweeper.sweep({ sweep: "metadata" });

      expect(targets[0]).toMatchObject({
        finding: "STALE",
        outcome: "written",
        restarts: [{ workload: "Deployment/shop", outcome: "restarted" }],
      });
      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
    });

    it("skips a workload that was restarted less than the minimum interval ago", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const restart = { workloads: [{ kind: "Deployment", name: "shop" }], minimumIntervalSeconds: 3 };
      const { source, told } = await open({ restart });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      expect(restartsOf(await told(second))[0]?.outcome).toBe("restarted");

      const third = await at.scene.rotate(second, '{"password":"third"}');
      const tooSoon = await told(third);
      await used.backend.clock.advance(3_000);
      const later = await told(third);

      expect(restartsOf(tooSoon)).toEqual([
        { workload: "Deployment/shop", outcome: "skipped", code: "RESTART_TOO_SOON" },
      ]);
      expect(restartsOf(later)[0]?.outcome).toBe("restarted");
      expect(await stampOf("Deployment", "shop")).toBe(third.versionId);
    });

    it("that fails with a retryable error fails the invocation, and the retry restarts although the Secret is unchanged", async () => {
      await grant(WORKLOADS_BY_NAME("shop", "fine"));
      await create("Deployment", "shop");
      await create("Deployment", "fine");
      const restart = ["shop", "fine"].map((name) => ({ kind: "Deployment", name }));
      const { source, told } = await open({ restart });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      const sandbox = (used.backend as { sandbox?: { kubernetes: SandboxFaults } }).sandbox;
      if (sandbox === undefined) return; // only the sandbox can inject a failure
      const stop = sandbox.kubernetes.faults.add({
        kind: "server-error",
        status: 500,
        match: ({ name, verb }) => name === "shop" && verb === "patch",
      });

      await expect(told(second)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });
      expect(await at.scene.readData("db")).toEqual({ password: "second" });
      expect(await stampOf("Deployment", "shop")).toBeUndefined();
      expect(await stampOf("Deployment", "fine")).toBe(second.versionId);
      stop();
      const repeated = await told(second);

      expect(repeated.targets[0]?.outcome).toBe("unchanged");
      expect(restartsOf(repeated)).toEqual([
        { workload: "Deployment/shop", outcome: "restarted" },
        { workload: "Deployment/fine", outcome: "already" },
      ]);
    });

    it("is done once by two concurrent invocations", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });
      const second = await at.scene.rotate(source, '{"password":"second"}');

      const reports = await Promise.all([told(second), told(second), told(second)]);

      const outcomes = reports.flatMap(restartsOf).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "restarted")).toHaveLength(1);
      const { generation } = (await read("Deployment", "shop")).metadata;
      expect(generation).toBe(generationAfter("Deployment", { records: 1, restarts: 1 }));
    });

    it("follows the deletion of a Secret if the new one has another value", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told } = await open({ restart: [{ kind: "Deployment", name: "shop" }] });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      await told(second);
      await at.scene.deleteSecret("db");
      expect(restartsOf(await told(second))[0]?.outcome).toBe("already");

      await at.scene.deleteSecret("db");
      const third = await at.scene.rotate(second, '{"password":"third"}');

      expect(restartsOf(await told(third))[0]?.outcome).toBe("restarted");
    });
  });

  describe("a Secret that was deleted and recreated", () => {
    const atShop = { restart: [{ kind: "Deployment", name: "shop" }] };
    const restarted = [{ workload: "Deployment/shop", outcome: "restarted" }];
    const sweepOnce = async (bindings: readonly object[]) =>
      (await startSweeper(used.backend, { bindings })).sweep({ sweep: "metadata" });
    const versionInUse = async (kind = "Deployment"): Promise<string | undefined> =>
      (await stampOf(kind, "shop")) ?? (await read(kind, "shop")).metadata.annotations?.[STAMP];

    it.each(Object.keys(PLACES))(
      "restarts a %s that never was restarted, when it was deleted by hand and comes back with another version",
      async (kind) => {
        await grant(WORKLOADS_BY_NAME("shop"));
        await create(kind, "shop");
        const { source, bindings } = await open({ restart: [{ kind, name: "shop" }] });
        await at.scene.deleteSecret("db");
        const second = await at.scene.rotate(source, '{"password":"second"}');

        const { targets } = await sweepOnce(bindings);
        const again = await sweepOnce(bindings);

        expect(targets[0]).toMatchObject({
          finding: "MISSING",
          restarts: [{ workload: `${kind}/shop`, outcome: "restarted" }],
        });
        expect(await stampOf(kind, "shop")).toBe(second.versionId);
        expect(newRestartsIn(again)).toEqual([]);
        const { generation } = (await read(kind, "shop")).metadata;
        expect(generation).toBe(generationAfter(kind, { records: 1, restarts: 1 }));
      },
    );

    it("restarts nothing if it has the same version as before, by a sweep or by an event", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told, bindings } = await open(atShop);
      await at.scene.deleteSecret("db");
      const { targets } = await sweepOnce(bindings);
      await at.scene.deleteSecret("db");
      const report = await told(source);

      expect(targets[0]).toMatchObject({
        finding: "MISSING",
        restarts: [{ workload: "Deployment/shop", outcome: "already" }],
      });
      expect(restartsOf(report)).toEqual([{ workload: "Deployment/shop", outcome: "already" }]);
      const { generation } = (await read("Deployment", "shop")).metadata;
      expect(generation).toBe(generationAfter("Deployment", { records: 1, restarts: 0 }));
    });

    it("restarts its readers when a replacement ended between the deletion and the creation", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await at.scene.grantDelete(["db"]);
      await create("Deployment", "shop");
      const { source, told, bindings } = await open(atShop, { immutable: true, onChange: "replace" });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      const interrupted = await startRelay(used.backend, {
        bindings,
        override: (real) => ({
          connect: (cluster) => ({
            ...real.connect(cluster),
            applySecret: () => Promise.reject(new ClusterUnavailable(cluster, "the invocation ended here")),
          }),
        }),
      });

      await expect(interrupted.invoke(labelUpdated(used.backend, second))).rejects.toThrow();
      expect(await at.scene.readSecret("db")).toBeUndefined();
      const report = await told(second);

      expect(restartsOf(report)).toEqual(restarted);
      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
    });

    it("restarts the readers of a Secret that another operator created and the relay took over", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      await at.scene.createSecret("db", { password: "first" });
      const { source, bindings, first } = await open(atShop, { adopt: true });
      await at.scene.deleteSecret("db");
      const second = await at.scene.rotate(source, '{"password":"second"}');

      const { targets } = await sweepOnce(bindings);

      expect(first.targets[0]).toMatchObject({ outcome: "written", versionId: source.versionId });
      expect(targets[0]?.restarts).toEqual(restarted);
      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
    });

    it("restarts its readers even if `restart` was set long after the Secret was created", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, bindings } = await open({});
      const withRestart = [{ source: source.name, targets: [{ ...targetOf(bindings), ...atShop }] }];
      const before = await sweepOnce(withRestart);
      await at.scene.deleteSecret("db");
      await at.scene.rotate(source, '{"password":"second"}');

      const { targets } = await sweepOnce(withRestart);

      expect(newRestartsIn(before)).toEqual([]);
      expect(targets[0]?.restarts).toEqual(restarted);
    });

    it("restarts a workload that was created after the first value and never restarted", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      const { source, bindings } = await open(atShop);
      await used.backend.clock.advance(1_100); // creation times are whole seconds
      await create("Deployment", "shop");
      await sweepOnce(bindings);
      await at.scene.deleteSecret("db");
      const second = await at.scene.rotate(source, '{"password":"second"}');

      const { targets } = await sweepOnce(bindings);

      expect(targets[0]?.restarts).toEqual(restarted);
      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
    });

    it.each(Object.keys(PLACES))(
      "finds the version that a %s started with on its own metadata, written once and rolling nothing",
      async (kind) => {
        await grant(WORKLOADS_BY_NAME("shop"));
        await create(kind, "shop");
        const { source, told, bindings } = await open({ restart: [{ kind, name: "shop" }] });
        const noted = await read(kind, "shop");
        await told(source);
        await sweepOnce(bindings);
        const later = await read(kind, "shop");

        expect(noted.metadata.annotations?.[STAMP]).toBe(source.versionId);
        expect(noted.metadata.generation).toBe(generationAfter(kind, { records: 1, restarts: 0 }));
        expect(noted.spec.template.metadata.annotations).toBeUndefined();
        expect(later.metadata.resourceVersion).toBe(noted.metadata.resourceVersion);
      },
    );

    it("records the version for a paused workload and for workloads that are found automatically", async () => {
      await grant(AUTO);
      await create("Deployment", "shop", { paused: true });
      const { source } = await open({ restart: "auto" });

      expect(await versionInUse()).toBe(source.versionId);
    });

    it("restarts a workload once when two invocations and a sweep recreate the Secret", async () => {
      await grant(WORKLOADS_BY_NAME("shop"));
      await create("Deployment", "shop");
      const { source, told, bindings } = await open(atShop);
      await at.scene.deleteSecret("db");
      const second = await at.scene.rotate(source, '{"password":"second"}');

      await Promise.all([told(second), told(second), sweepOnce(bindings)]);

      expect(await stampOf("Deployment", "shop")).toBe(second.versionId);
      const { generation } = (await read("Deployment", "shop")).metadata;
      expect(generation).toBe(generationAfter("Deployment", { records: 1, restarts: 1 }));
    });
  });

  describe("an event", () => {
    const EVENTS: Rule[] = [{ apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] }];
    const eventsOf = async () => {
      const path = `/apis/events.k8s.io/v1/namespaces/${at.scene.namespace}/events`;
      const { body } = await at.scene.admin(path);
      return body.items as { reason: string; type: string; note: string; regarding: { uid: string } }[];
    };

    it("reports a Secret that was created, updated, repaired and refused, once each", async () => {
      await grant(EVENTS);
      const { source, told, bindings } = await open({ events: true });
      const second = await at.scene.rotate(source, '{"password":"second"}');
      await told(second);
      await told(second);
      const third = await at.scene.rotate(second, '{"password":"third"}');
      const sweeper = await startSweeper(used.backend, { bindings });
      await sweeper.sweep({ sweep: "metadata" });
      const { uid } = (await at.scene.readSecret("db")).metadata;
      await at.scene.deleteSecret("db");
      await at.scene.createSecret("db", { password: "mine" });
      await told(third);
      await told(third);

      const events = await eventsOf();

      expect(events.map(({ reason, type }) => `${type} ${reason}`).sort()).toEqual([
        "Normal SecretCreated",
        "Normal SecretDriftRepaired",
        "Normal SecretUpdated",
        "Warning SecretSyncRefused",
      ]);
      const updated = events.find(({ reason }) => reason === "SecretUpdated");
      expect(updated?.regarding.uid).toBe(uid);
      expect(updated?.note).toContain(second.versionId);
      expect(JSON.stringify(events)).not.toMatch(/"(first|second|third|mine)"/);
    });

    it("without permission is reported, and fails nothing", async () => {
      const { first, relay } = await open({ events: true });

      expect(first.targets[0]?.outcome).toBe("written");
      expect(relay.logs.find(({ code }) => code === "KUBERNETES_EVENT_FAILED")?.fields.code).toBe(
        "CLUSTER_FORBIDDEN",
      );
    });
  });

  describe("a nudge", () => {
    const PODS: Rule[] = [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "patch"] }];
    const pods = () => `/api/v1/namespaces/${at.scene.namespace}/pods`;
    const createPod = async (name: string, volumes: readonly object[]): Promise<void> => {
      const containers = [{ name: "main", image: "example.com/main:1" }];
      const body = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers, volumes } };
      const { status, body: answer } = await at.scene.admin(pods(), { method: "POST", body });
      expect([status, answer.message]).toEqual([201, undefined]);
    };
    const nudgedFor = async (name: string): Promise<string | undefined> =>
      (await at.scene.admin(`${pods()}/${name}`)).body.metadata.annotations?.["secret-relay/nudged-for-db"];

    it("notifies the Pods that mount the Secret, once for each version", async () => {
      await grant(PODS);
      await createPod("mounts", [{ name: "v", secret: { secretName: "db" } }]);
      await createPod("projects", [{ name: "v", projected: { sources: [{ secret: { name: "db" } }] } }]);
      await createPod("other", [{ name: "v", secret: { secretName: "else" } }]);
      const { source, told, relay } = await open({ nudge: true });
      expect(await nudgedFor("mounts")).toBeUndefined();

      const second = await at.scene.rotate(source, '{"password":"second"}');
      await told(second);
      await told(second);

      expect(await nudgedFor("mounts")).toBe(second.versionId);
      expect(await nudgedFor("projects")).toBe(second.versionId);
      expect(await nudgedFor("other")).toBeUndefined();
      expect(
        relay.logs.filter(({ code }) => code === "PODS_NUDGED").map(({ fields }) => fields.pods),
      ).toEqual([2]);
    });

    it("reaches the Pods that run when a Secret was deleted by hand and is recreated with another version", async () => {
      await grant(PODS);
      const volumes = [{ name: "v", secret: { secretName: "db" } }];
      const { source, told } = await open({ nudge: true });
      for (const name of ["runs", "waits"]) await createPod(name, volumes);
      await at.scene.admin(`${pods()}/runs/status`, {
        method: "PATCH",
        contentType: "application/merge-patch+json",
        body: { status: { phase: "Running" } },
      });
      await used.backend.clock.advance(1_100); // creation times are whole seconds
      await at.scene.deleteSecret("db");
      const second = await at.scene.rotate(source, '{"password":"second"}');

      await told(second);
      await at.scene.deleteSecret("db");
      const third = await at.scene.rotate(second, '{"password":"third"}');
      await told(third);

      expect(await nudgedFor("runs")).toBe(third.versionId);
      expect(await nudgedFor("waits")).toBeUndefined();
    });

    it("without permission is reported, and fails nothing", async () => {
      const { source, told, relay } = await open({ nudge: true });
      const second = await at.scene.rotate(source, '{"password":"second"}');

      expect((await told(second)).targets[0]?.outcome).toBe("written");
      expect(relay.logs.find(({ code }) => code === "NUDGE_INCOMPLETE")?.fields.code).toBe(
        "CLUSTER_FORBIDDEN",
      );
    });
  });

  describe("Pods with an older value", () => {
    const pods = () => `/api/v1/namespaces/${at.scene.namespace}/pods`;
    const runPod = async (name: string, startedAt: number): Promise<void> => {
      const containers = [{ name: "main", image: "example.com/main:1", ...readsDb }];
      const body = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers } };
      expect((await at.scene.admin(pods(), { method: "POST", body })).status).toBe(201);
      const running = { startedAt: new Date(startedAt).toISOString().replace(/\.\d+Z/, "Z") };
      const containerStatuses = [
        { name: "main", ready: true, restartCount: 0, image: "main", imageID: "", state: { running } },
      ];
      const { status } = await at.scene.admin(`${pods()}/${name}/status`, {
        method: "PATCH",
        contentType: "application/merge-patch+json",
        body: { status: { phase: "Running", containerStatuses } },
      });
      expect(status).toBe(200);
    };

    it("are reported by a sweep, until their containers start again", async () => {
      await grant([{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }]);
      const { source, told, bindings } = await open({ checkPods: true });
      await told(await at.scene.rotate(source, '{"password":"second"}'));
      await runPod("old", Date.now() - 3_600_000);
      await runPod("new", Date.now() + 60_000);
      const sweeper = await startSweeper(used.backend, { bindings });

      const { targets } = await sweeper.sweep({ sweep: "metadata" });
      expect(targets).toMatchObject([
        { finding: "PODS_OUTDATED", action: "none", outdatedPodCount: 1, outdatedPods: [{ pod: "old" }] },
      ]);

      await at.scene.admin(`${pods()}/old?gracePeriodSeconds=0`, { method: "DELETE" });
      expect((await sweeper.sweep({ sweep: "metadata" })).targets).toEqual([]);
    });

    it("are unknown without permission, and the Secret is in order", async () => {
      const { bindings } = await open({ checkPods: true });
      const sweeper = await startSweeper(used.backend, { bindings });

      const { targets } = await sweeper.sweep({ sweep: "metadata" });

      expect(targets).toMatchObject([{ finding: null, action: "none", podsUnknown: "CLUSTER_FORBIDDEN" }]);
    });
  });
}

type SandboxFaults = {
  faults: {
    add(rule: {
      kind: "server-error";
      status: number;
      match: (request: { name?: string | undefined; verb?: string | undefined }) => boolean;
    }): () => void;
  };
};

/** What rolls Pods is a changed template. Of a Deployment, the API server counts a changed annotation as well. */
function generationAfter(kind: string, { records, restarts }: { records: number; restarts: number }): number {
  return 1 + restarts + (kind === "Deployment" ? records : 0);
}
