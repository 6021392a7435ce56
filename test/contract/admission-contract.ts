import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { labelUpdated, startRelay, startSweeper } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

/** Refuses the creation of Secrets in one namespace; a policy of readers, changes of Deployments and new Events. */
export type Obstacle =
  | {
      readonly kind: "policy";
      readonly name: string;
      readonly reason: "Invalid" | "Forbidden";
      readonly of?: "readers";
    }
  | { readonly kind: "quota"; readonly name: string; readonly isComputed: boolean }
  | { readonly kind: "webhook-denies"; readonly name: string; readonly status: number }
  | { readonly kind: "webhook-fails"; readonly name: string; readonly how: "refuses connections" | "hangs" }
  | { readonly kind: "terminating" };

/** Puts the obstacle in place; the returned function removes it. */
export type Raise<B extends Backend> = (
  backend: B,
  obstacle: Obstacle,
  scene: Scene,
) => Promise<() => Promise<void>>;

type Row = {
  readonly it: string;
  readonly obstacle: Obstacle;
  readonly code: string;
  readonly outcome: "refused" | "failed";
  readonly says: string;
};

const ROWS: readonly Row[] = [
  ...(
    [
      ["Invalid", 422],
      ["Forbidden", 403],
    ] as const
  ).map(
    ([reason, status]): Row => ({
      it: `a policy denies writes with reason ${reason}`,
      obstacle: { kind: "policy", name: "team-labels", reason },
      code: "ADMISSION_DENIED",
      outcome: "refused",
      says: `was refused by admission: team-labels (admission policy, binding team-labels-binding, HTTP ${status})`,
    }),
  ),
  {
    it: "a quota has no room",
    obstacle: { kind: "quota", name: "team-quota", isComputed: true },
    code: "QUOTA_EXCEEDED",
    outcome: "refused",
    says: "Quota team-quota of namespace ",
  },
  {
    it: "a quota is not computed yet",
    obstacle: { kind: "quota", name: "team-quota", isComputed: false },
    code: "QUOTA_NOT_READY",
    outcome: "failed",
    says: "Quota team-quota of namespace ",
  },
  ...[400, 403, 422, 429].map(
    (status): Row => ({
      it: `a webhook denies writes with ${status}`,
      obstacle: { kind: "webhook-denies", name: "rules.example.com", status },
      code: "ADMISSION_DENIED",
      outcome: "refused",
      says: `was refused by admission: rules.example.com (admission webhook, HTTP ${status})`,
    }),
  ),
  ...(["refuses connections", "hangs"] as const).map(
    (how): Row => ({
      it: `a webhook ${how}`,
      obstacle: { kind: "webhook-fails", name: "checks.example.com", how },
      code: "ADMISSION_WEBHOOK_FAILED",
      outcome: "failed",
      says: "Admission webhook checks.example.com fails in cluster main",
    }),
  ),
  {
    it: "a deletion is under way",
    obstacle: { kind: "terminating" },
    code: "NAMESPACE_TERMINATING",
    outcome: "refused",
    says: "is being deleted",
  },
];

/** Refusals of one namespace, in every way; the same on the sandbox and on real servers. */
export function describeAdmissionContract<B extends Backend>(start: () => Promise<B>, raise: Raise<B>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let others: Scene;
  let desk: Desk;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    others = await openScene(used.backend);
    desk = openDesk(used.backend);
    remove = async () => {};
  });
  afterEach(async () => {
    await remove();
    others.close();
    desk.close();
  });

  /** One source for Secrets of both namespaces; none of them exists yet. */
  const bindSecrets = async () => {
    const value = '{"user":"app","password":"canary-7f3a9c1e-first"}';
    const source = await at.scene.createSource(`prod/${randomUUID().slice(0, 8)}`, value);
    const names = ["db-1", "db-2", "db-3", "db-4", "db-5"];
    const targets = [at.scene, others].flatMap(({ namespace }) => names.map((name) => ({ namespace, name })));
    for (const scene of [at.scene, others]) await scene.grant(names, { mayList: true });
    return { source, names, bindings: [{ source: source.name, targets }] };
  };
  const expectRefused = async ({ code, says }: Row, rows: readonly Refused[], names: readonly string[]) => {
    const inBad = rows.filter(({ namespace }) => namespace === at.scene.namespace);
    expect(inBad.map((row) => row.code)).toEqual(names.map(() => code));
    for (const row of inBad) expect(row.advice).toContain(says);
    for (const name of names) {
      expect(await at.scene.readSecret(name)).toBeUndefined();
      expect(await others.readData(name)).toMatchObject({ user: "app" });
    }
  };

  describe.for(ROWS)("one namespace, where $it,", (row) => {
    it("stops no other: a sweep repairs all others and names the reason, and a later sweep tries again", async () => {
      const { names, bindings } = await bindSecrets();
      remove = await raise(used.backend, row.obstacle, at.scene);
      const sweeper = await startSweeper(used.backend, { bindings });

      const report = await sweeper.sweep({ sweep: "metadata" });

      await expectRefused(row, report.targets, names);
      expect(report.targets.filter(({ outcome }) => outcome === row.outcome)).toHaveLength(names.length);
      expect(sweeper.logs).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ code: row.code }) }),
      );
      if (row.obstacle.kind === "terminating") return; // no controller completes the deletion here
      await remove();
      await sweeper.sweep({ sweep: "metadata" });
      for (const name of names) expect(await at.scene.readData(name)).toMatchObject({ user: "app" });
    });
  });

  const inOtherWays = ROWS.filter(({ obstacle: { kind } }) => kind === "policy" || kind === "webhook-fails");

  describe.for(inOtherWays.slice(1, 3))("one namespace, where $it,", (row) => {
    it("stops no other: a rotation writes all others, and is repeated only if that can help", async () => {
      const { source, names, bindings } = await bindSecrets();
      remove = await raise(used.backend, row.obstacle, at.scene);
      const relay = await startRelay(used.backend, { bindings });

      const run = relay.invoke(labelUpdated(used.backend, source)).then(
        () => "done",
        (error: unknown) => String(error),
      );

      expect(await run).toContain(row.outcome === "refused" ? "done" : row.code);
      const logged = relay.logs.flatMap(({ fields: { code, advice, target = "" } }) =>
        code === row.code ? [{ code, advice, namespace: target.split("/")[1] }] : [],
      );
      await expectRefused(row, logged, names);
    });

    it("stops no other: secret-relay sync --all writes all others, and prints the reason", async () => {
      const { names, bindings } = await bindSecrets();
      remove = await raise(used.backend, row.obstacle, at.scene);
      desk.writeBindings(bindings);

      const { exitCode, json } = await desk.runJson("sync", "--all");

      expect(exitCode).toBe(1);
      await expectRefused(row, (json as { targets: readonly Refused[] }).targets, names);
    });
  });

  it("a restart and a Kubernetes Event that a policy denies leave the Secret written, with the reason", async () => {
    const { namespace } = at.scene;
    const source = await at.scene.createSource(
      `prod/${randomUUID().slice(0, 8)}`,
      '{"password":"canary-7f3a9c1e-first"}',
    );
    await at.scene.grant(["db"]);
    await grantReaders(at.scene, used.backend);
    await createDeployment(at.scene, "shop");
    const restart = { workloads: [{ kind: "Deployment", name: "shop" }] };
    const bindings = [{ source: source.name, targets: [{ namespace, name: "db", restart, events: true }] }];
    const relay = await startRelay(used.backend, { bindings });
    await relay.invoke(labelUpdated(used.backend, source));
    const second = await at.scene.rotate(source, '{"password":"canary-7f3a9c1e-second"}');
    const obstacle = { kind: "policy", name: "reader-rules", reason: "Invalid", of: "readers" } as const;
    remove = await raise(used.backend, obstacle, at.scene);

    const { targets } = await relay.invoke(labelUpdated(used.backend, second));

    expect(targets).toMatchObject([
      {
        outcome: "written",
        restarts: [{ workload: "Deployment/shop", outcome: "refused", code: "ADMISSION_DENIED" }],
      },
    ]);
    expect(relay.logs).toContainEqual({
      code: "KUBERNETES_EVENT_FAILED",
      fields: expect.objectContaining({ code: "ADMISSION_DENIED" }),
    });
  });
}

async function grantReaders({ admin, namespace }: Scene, { kubernetes }: Backend): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
  const role = { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata: { name: "readers" } };
  const rules = [
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] },
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
  ];
  await admin(`${path}/roles`, { method: "POST", body: { ...role, rules } });
  const { status } = await admin(`${path}/rolebindings`, {
    method: "POST",
    body: {
      ...role,
      kind: "RoleBinding",
      roleRef: { apiGroup, kind: "Role", name: "readers" },
      subjects: [{ apiGroup, kind: "Group", name: kubernetes.relayGroup }],
    },
  });
  expect(status).toBe(201);
}

async function createDeployment({ admin, namespace }: Scene, name: string): Promise<void> {
  const container = { name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name: "db" } }] };
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const { status } = await admin(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    method: "POST",
    body: {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name } },
      spec: { selector: { matchLabels: labels }, template },
    },
  });
  expect(status).toBe(201);
}

type Refused = Readonly<Partial<Record<"namespace" | "code" | "advice", string | undefined>>>;
