import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { acceptCall } from "../../functions/webhook/accept-call.ts";
import { webhookDependencies } from "../../functions/webhook/dependencies.ts";
import type { Backend } from "../harness/backend.ts";
import { type BindingsStore, openBindingsStore } from "../harness/bindings-store.ts";
import { esoScene } from "../harness/eso-scene.ts";
import { type IamGate, startIamGate } from "../harness/iam-gate.ts";
import { labelUpdated, lambdaContext, pinnedCluster, startRelay, startSweeper } from "../harness/relay.ts";
import { becameOf, findingsIn, unknownIn } from "../harness/rows.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend } from "../harness/use-scene.ts";
import { deploy, type Stack } from "../template/deploy.ts";
import { decide, type PolicyRequest } from "../template/evaluate.ts";
import {
  actionsOf,
  DONE_BY_LAMBDA,
  policiesOf,
  resourcesOf,
  type Statement,
} from "../template/statements.ts";
import { newKey, webhookCall } from "../webhook/webhook-call.ts";

/**
 * The functions, each with the policies of its role in the template, against an AWS that enforces them: every call is
 * allowed, and every permission is used.
 */
export function describeIamContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  let scene: Scene;
  let gate: IamGate;
  let fixture: Fixture;

  beforeAll(async () => {
    scene = await openScene(used.backend);
    fixture = await prepare(used.backend, scene);
    gate = await startIamGate(used.backend, (arn) => fixture.encrypted.get(arn));
    for (const [name, value] of Object.entries(gate.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterAll(async () => {
    await gate?.stop();
    fixture?.store.close();
    scene?.close();
  });

  const actAs = (name: keyof typeof JOURNEYS, narrow: (statement: Statement) => boolean = () => true) =>
    gate.actAs({
      statements: policiesOf(fixture.stack, `${name}Role`).filter(narrow),
      context: { "lambda:SourceFunctionArn": `arn:aws:lambda:eu-west-1:111122223333:function:${name}` },
    });
  const live = (name: keyof typeof JOURNEYS) =>
    JOURNEYS[name]({ backend: used.backend, scene, gate, ...fixture });

  describe.each(Object.keys(JOURNEYS) as (keyof typeof JOURNEYS)[])("the role of the function %s", (name) => {
    let troubles: readonly string[];
    let asked: readonly PolicyRequest[];
    let refused: readonly PolicyRequest[];
    beforeAll(async () => {
      actAs(name);
      troubles = await live(name);
      asked = [...gate.asked];
      refused = [...gate.refused];
    }, 60_000);

    it("is sufficient for all of its calls", () => {
      expect({ troubles, refused }).toEqual({ troubles: [], refused: [] });
    });

    it("is minimal: each action on each resource is used", () => {
      expect(asked.length).toBeGreaterThan(1);
      const unused = atomsNotCalledFor(policiesOf(fixture.stack, `${name}Role`), asked);
      expect(unused).toEqual([]);
    });
  });

  it.each([
    ["Rotation", "ReadSecretsByArn"],
    ["Rotation", "DescribeSecretsByArn"],
    ["Rotation", "DecryptSecrets"],
    ["Rotation", "FindClusters"],
    ["Rotation", "ReadBindings"],
    ["Rotation", "ListBindings"],
    ["Reconcile", "ReadSecretsByPrefix"],
    ["Reconcile", "ReadBindings"],
    ["Reconcile", "ListBindings"],
    ["Webhook", "ReadSigningKeys"],
    ["Webhook", "ReadBindings"],
    ["Webhook", "ListBindings"],
  ] as const)(
    "the function %s fails without %s",
    async (name, sid) => {
      actAs(name, ({ Sid }) => Sid !== sid);
      expect(await live(name)).not.toEqual([]);
      expect(gate.refused.length).toBeGreaterThan(0);
    },
    60_000,
  );
}

type Fixture = {
  readonly stack: Stack;
  readonly store: BindingsStore;
  readonly sources: readonly TestSource[];
  readonly signingKeys: TestSource & { readonly key: string };
  readonly bindings: readonly object[];
  readonly clusters: Readonly<Record<string, object>>;
  /** Secret -> key. */
  readonly encrypted: ReadonlyMap<string, string>;
};

type Stage = Fixture & { readonly backend: Backend; readonly scene: Scene; readonly gate: IamGate };

const CLUSTER_ROLE = "arn:aws:iam::444455556666:role/relay";

/** More than a sweep describes one by one. */
const SOURCES_BELOW = 24;

/** A stack that uses every parameter that policies depend on, and in its account whatever makes use of it. */
async function prepare(backend: Backend, scene: Scene): Promise<Fixture> {
  const { region, accountId } = backend.aws;
  const { namespace } = scene;
  const create = (name: string) => scene.createSource(name, '{"password":"first"}');
  const byArn = await create(`by-arn/${namespace}`);
  const byPattern = await create(`by-pattern/${namespace}`);
  const below = await Promise.all(
    Array.from({ length: SOURCES_BELOW }, (_, at) => create(`${namespace}/db-${at}`)),
  );
  const key = newKey();
  const signingKeys = await scene.createSource(`keys/${namespace}`, JSON.stringify({ keys: [key] }));
  const kmsKey = `arn:aws:kms:${region}:${accountId}:key/12345678-1234-1234-1234-123456789012`;

  const bind = (source: TestSource, cluster: string, names: readonly string[], more: object = {}) => ({
    ...{ source: source.name, ...more },
    targets: names.map((name) => ({ cluster, namespace, name, ...(name === RESTARTING && { restart }) })),
  });
  const restart = [{ kind: "Deployment", name: "reader" }];
  const names = (at: number) => [0, 1, 2].map((copy) => `below-${at}-${copy}`);
  const bindings = [
    bind(byArn, "found", ["by-arn"], { webhookId: namespace }),
    bind(byPattern, "assumed", ["by-pattern"]),
    ...below.map((source, at) => bind(source, "main", names(at))),
  ];
  await scene.grant(["by-arn", "by-pattern", ...below.flatMap((_, at) => names(at))]);
  await createReader(backend, scene);
  const eso = esoScene(backend, scene, "v1");
  await eso.grant();
  await eso.createStore("plain");
  // Tags decide, and these are none of them: without the right to see them it would count as a match.
  await eso.createExternalSecret("found-by-tag", {
    secretStoreRef: { name: "plain" },
    dataFrom: [{ find: { tags: { team: "billing" } } }],
  });

  const { clusterName: name } = backend.kubernetes;
  const pinned = pinnedCluster(backend);
  const externalSecrets = { namespaces: [namespace], deadlineSeconds: 2 };
  const store = await openBindingsStore(backend);
  const stack = deploy(
    {
      ExistingBindingsBucket: store.bucket.name,
      SecretArns: `${byArn.arn},${byPattern.arn.replace(/.{6}$/, "??????")}`,
      SecretNamePrefix: `${namespace}/`,
      SecretKmsKeyArns: kmsKey,
      ClusterArns: `arn:aws:eks:${region}:${accountId}:cluster/${name}`,
      ClusterRoleArns: CLUSTER_ROLE,
      ExternalSecretsByTag: "ENABLED",
      ValuesSweep: "ENABLED",
      WebhookKeySecretArn: signingKeys.arn,
      WebhookKeySecretKmsKeyArn: kmsKey,
      VpcSubnetIds: "subnet-0a",
      VpcSecurityGroupIds: "sg-0a",
    },
    undefined,
    { "AWS::AccountId": accountId, "AWS::Region": region },
  );
  return {
    stack,
    store,
    sources: [byArn, byPattern, ...below],
    signingKeys: { ...signingKeys, key },
    bindings,
    clusters: {
      main: { ...pinned, externalSecrets },
      found: { name, region, externalSecrets },
      assumed: { ...pinned, roleArn: CLUSTER_ROLE, externalSecrets },
    },
    encrypted: new Map([byArn, signingKeys].map(({ arn }) => [arn, kmsKey])),
  };
}

/** Its new versions restart a Deployment, whose rollout is then followed. */
const RESTARTING = "below-0-0";

async function createReader(backend: Backend, { admin, namespace }: Scene): Promise<void> {
  const labels = { app: "reader" };
  const containers = [{ name: "main", image: "example.com/main:1" }];
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reader" }, spec };
  expect(
    (await admin(`/apis/apps/v1/namespaces/${namespace}/deployments`, { method: "POST", body })).status,
  ).toBe(201);
  const apiGroup = "rbac.authorization.k8s.io";
  const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
  const role = { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata: { name: "restart" } };
  const rules = [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }];
  await admin(`${path}/roles`, { method: "POST", body: { ...role, rules } });
  const roleRef = { apiGroup, kind: "Role", name: "restart" };
  const subjects = [{ apiGroup, kind: "Group", name: backend.kubernetes.relayGroup }];
  const binding = { ...role, kind: "RoleBinding", roleRef, subjects };
  expect((await admin(`${path}/rolebindings`, { method: "POST", body: binding })).status).toBe(201);
}

/**
 * A relay for each way into the cluster, in the order of the first bindings: one relay with several entries for one API
 * server is refused.
 */
function oneByOne({ bindings, clusters }: Pick<Fixture, "bindings" | "clusters">) {
  const clusterOf = (binding: object) =>
    (binding as { targets: readonly { cluster: string }[] }).targets[0]?.cluster ?? "";
  return [...Map.groupBy(bindings, clusterOf)].map(([key, ofCluster]) => ({
    clusters: { [key]: clusters[key] ?? {} },
    bindings: ofCluster,
  }));
}

const JOURNEYS = {
  /** A rotation of a source of each kind, on a cluster of each kind, by bindings that were published meanwhile. */
  Rotation: async ({ backend, scene, gate, store, sources, ...file }: Stage): Promise<string[]> => {
    const troubles: string[] = [];
    const env = { WORK_QUEUE_URL: `${gate.endpoint}/${backend.aws.accountId}/WorkQueue` };
    for (const [at, each] of oneByOne(file).entries()) {
      const source = sources[at] as TestSource;
      await store.clear();
      try {
        const relay = await startRelay(backend, { bindingsBucket: store.bucket.name, env });
        await store.publish(each.bindings, undefined, each.clusters);
        const rotated = await scene.rotate(source, '{"password":"second"}');
        const { targets, externalSecrets = [] } = await relay.invoke(labelUpdated(backend, rotated));
        // The first version restarts nothing.
        await relay.invoke(labelUpdated(backend, await scene.rotate(rotated, '{"password":"third"}')));
        if (relay.logs.some(({ code }) => code === "FOLLOW_UP_NOT_SENT")) troubles.push("not followed");
        if (targets.length === 0) troubles.push("no target");
        troubles.push(...targets.flatMap(({ outcome, code = "" }) => (outcome === "refused" ? [code] : [])));
        troubles.push(...externalSecrets.map(({ object, kind }) => `${object} ${kind}`));
      } catch (error) {
        troubles.push((error as Error).message);
      }
    }
    return troubles;
  },

  /** Lost events, found by both sweeps and repaired; and a sweep that is too large for one invocation. */
  Reconcile: async ({ backend, scene, gate, store, sources, ...file }: Stage): Promise<string[]> => {
    const troubles: string[] = [];
    const queue = `${gate.endpoint}/${backend.aws.accountId}/WorkQueue`;
    for (const [sweep, env] of [
      ["metadata", {}],
      ["values", {}],
      ["metadata", { WORK_QUEUE_URL: queue, SHARD_BINDINGS_MAX: "50" }],
    ] as const) {
      for (const source of sources.slice(0, 3)) await scene.rotate(source, `{"password":"for ${sweep}"}`);
      for (const each of oneByOne(file)) {
        await store.clear();
        try {
          const sweeper = await startSweeper(backend, { bindingsBucket: store.bucket.name, env });
          await store.publish(each.bindings, undefined, each.clusters);
          const report = await sweeper.sweep({ sweep });
          await store.publish(each.bindings.slice(1), undefined, each.clusters);
          await sweeper.follow(await store.versionInForce());
          if (sweeper.logs.some(({ code }) => code === "CHANGES_UNKNOWN")) troubles.push("changes unknown");
          troubles.push(...unknownIn(report).map(({ code = "" }) => code));
          const became = findingsIn(report).map(becameOf);
          troubles.push(...became.filter((each) => each !== "written"));
        } catch (error) {
          troubles.push((error as Error).message);
        }
      }
    }
    return troubles;
  },

  /** A signed call is handed over, once its id is published. */
  Webhook: async ({ backend, scene, store, signingKeys, ...file }: Stage): Promise<string[]> => {
    let now = Date.now();
    const dependencies = await webhookDependencies(
      {
        BINDINGS_BUCKET: store.bucket.name,
        WEBHOOK_KEY_SECRET_ARN: signingKeys.arn,
        ROTATION_FUNCTION_ARN: "<RotationFunction>.Arn",
      },
      { log: () => {}, measure: () => {}, now: () => now },
    );
    const call = async () => {
      const signed = webhookCall({ webhookId: scene.namespace }, { keys: [signingKeys.key] });
      const { statusCode } = await acceptCall(dependencies)(signed, lambdaContext(backend));
      return statusCode;
    };
    await store.clear();
    const before = await call();
    await store.publish(file.bindings, undefined, file.clusters);
    now += 61_000; // after a refusal it looks again once a minute
    const after = await call();
    return [before === 401 ? "" : `${before} before`, after === 202 ? "" : `${after} after`].filter(Boolean);
  },
};

/** Each action on each resource that a statement allows and that no call needed, but for what Lambda does itself. */
function atomsNotCalledFor(statements: readonly Statement[], asked: readonly PolicyRequest[]): string[] {
  const denied = statements.filter(({ Effect }) => Effect === "Deny");
  const atoms = statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap((statement) =>
      actionsOf(statement).flatMap((Action) =>
        resourcesOf(statement).map((Resource) => ({ ...statement, Action, Resource })),
      ),
    );
  const isNeeded = (atom: Statement) => {
    const rest = [...denied, ...atoms.filter((other) => other !== atom)];
    return asked.some((request) => decide(rest, request) !== "allowed");
  };
  const byLambda: readonly string[] = DONE_BY_LAMBDA;
  return atoms.flatMap((atom) =>
    byLambda.includes(atom.Sid) || isNeeded(atom) ? [] : [`${atom.Sid}: ${atom.Action} on ${atom.Resource}`],
  );
}
