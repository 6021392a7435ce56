import type { RelayMetadata } from "../../../shared/bindings/relay-identity.ts";
import type { KubernetesCall } from "../../harness/kubernetes-request.ts";
import type { Random } from "../random.ts";
import { NAMESPACES, type SecretName, type World, type WorldCluster } from "./world.ts";

/** A workload whose pods read Secrets at their start. */
export type Workload = {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: WorkloadKind;
  readonly name: string;
  /** The names of the Secrets in its `envFrom`. */
  readonly secrets: readonly string[];
};

export type WorkloadKind = keyof typeof RESOURCES;

/** A target that workloads may read. */
type ReadTarget = SecretName & {
  readonly cluster: string;
  readonly ownMetadata: RelayMetadata;
  readonly parts: readonly [{ readonly taken: string }, ...unknown[]];
  readonly isShared: boolean;
};

/** The workloads of a run, and the `restart` of each target that has one. */
export type Workloads = {
  readonly all: readonly Workload[];
  /** Workloads whose Secret no relay writes. */
  readonly bystanders: readonly Workload[];
  readonly restarts: ReadonlyMap<object, object>;
};

export const NO_WORKLOADS: Workloads = { all: [], bystanders: [], restarts: new Map() };

/** Half of the targets with one source have one or two workloads; some workloads read the Secrets of two targets. */
export function drawWorkloads(
  targets: readonly ReadTarget[],
  clusters: readonly WorldCluster[],
  random: Random,
): Workloads {
  const drawn: Drawn[] = [];
  const rules = new Map<ReadTarget, { readonly rule: Rule; readonly readers: Drawn[] }>();
  for (const target of targets.filter(isEligible)) {
    if (rules.size >= TARGETS_MIN && random.chance(0.5)) continue;
    const beside = drawn.filter((other) => isBeside(other, target));
    const readers = beside.length > 0 && random.chance(0.4) ? [random.pick(beside)] : [];
    for (let count = 1 + random.below(2); count > 0; count -= 1) {
      const { cluster, namespace } = target;
      // In turn, so that a small fleet has them all.
      const kind = KINDS[drawn.length % KINDS.length] ?? "Deployment";
      const reader = {
        ...{ cluster, namespace, kind, name: `reader-${drawn.length}`, relay: target.ownMetadata.self.name },
        secrets: [],
      };
      drawn.push(reader);
      readers.push(reader);
    }
    for (const { secrets } of readers) secrets.push(target.name);
    rules.set(target, { rule: random.pick(RULES), readers });
  }
  const bystanders = clusters.flatMap(({ key: cluster }) =>
    NAMESPACES.map((namespace): Workload => {
      return { cluster, namespace, kind: "Deployment", name: "idle", secrets: ["another-secret"] };
    }),
  );
  const restarts = new Map([...rules].map(([target, { rule, readers }]) => [target, rule(refsOf(readers))]));
  return { all: drawn, bystanders, restarts };
}

type Drawn = Workload & { readonly relay: string; readonly secrets: string[] };

const isEligible = ({ parts: [{ taken }, ...others], isShared }: ReadTarget): boolean =>
  taken === "AWSCURRENT" && others.length === 0 && !isShared;

const isBeside = (other: Drawn, { cluster, namespace, ownMetadata }: ReadTarget): boolean =>
  other.cluster === cluster &&
  other.namespace === namespace &&
  other.relay === ownMetadata.self.name &&
  other.secrets.length === 1;

const refsOf = (readers: readonly Drawn[]) => readers.map(({ kind, name }) => ({ kind, name }));

type Rule = (workloads: ReturnType<typeof refsOf>) => object;

const RULES: readonly Rule[] = [
  (workloads) => ({ workloads }),
  (workloads) => ({ workloads, order: "sequence" }),
  (workloads) => ({ workloads, minimumIntervalSeconds: 60 }),
  () => ({ workloads: "auto" }),
];

const TARGETS_MIN = 4;

/** With the permissions to restart them. */
export async function createWorkloads(
  { clusters }: World,
  { admin, workloads }: { admin(cluster: string): KubernetesCall; readonly workloads: Workloads },
): Promise<void> {
  const all = [...workloads.all, ...workloads.bystanders];
  for (const { key, backend } of clusters) {
    const post = async (path: string, body: object): Promise<void> => {
      const { status, body: answer } = await admin(key)(path, { method: "POST", body });
      if (status !== 201) throw new Error(`POST ${path}: ${status} ${answer?.message}`);
    };
    for (const namespace of NAMESPACES) await grantRestarts(post, namespace, backend.relayGroup);
    for (const workload of all.filter(({ cluster }) => cluster === key))
      await post(pathOfKind(workload), manifestOf(workload));
  }
}

async function grantRestarts(
  post: (path: string, body: object) => Promise<void>,
  namespace: string,
  group: string,
): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const name = "secret-relay-restarts";
  const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
  const common = { apiVersion: `${apiGroup}/v1`, metadata: { name } };
  const rules = [
    { apiGroups: ["apps"], resources: Object.values(RESOURCES), verbs: ["get", "list", "patch"] },
  ];
  await post(`${path}/roles`, { ...common, kind: "Role", rules });
  const roleRef = { apiGroup, kind: "Role", name };
  const subjects = [{ apiGroup, kind: "Group", name: group }];
  await post(`${path}/rolebindings`, { ...common, kind: "RoleBinding", roleRef, subjects });
}

export function manifestOf({ kind, name, secrets }: Workload): object {
  const labels = { app: name };
  const envFrom = secrets.map((secret) => ({ secretRef: { name: secret } }));
  const containers = [{ name: "main", image: "example.com/main:1", envFrom }];
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...(kind !== "DaemonSet" && { replicas: 2 }),
      ...(kind === "Deployment" && { progressDeadlineSeconds: PROGRESS_DEADLINE_MS / 1_000 }),
      ...(kind === "StatefulSet" && { serviceName: name }),
    },
  };
}

/** After this time without a new pod a Deployment is given up. */
export const PROGRESS_DEADLINE_MS = 180_000;

export const keyOfWorkload = ({ cluster, namespace, kind, name }: Omit<Workload, "secrets">): string =>
  `${cluster}/${namespace}/${kind}/${name}`;

export const pathOfWorkload = (workload: Workload): string => `${pathOfKind(workload)}/${workload.name}`;

/** From the path of a request; undefined if it is not about workloads. */
export function parseWorkloadPath(path: string): Pick<Workload, "namespace" | "kind" | "name"> | undefined {
  const [, namespace = "", resource, name = ""] =
    /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/([a-z]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  const kind = KINDS.find((each) => RESOURCES[each] === resource);
  return kind && { namespace, kind, name };
}

const pathOfKind = ({ kind, namespace }: Workload): string =>
  `/apis/apps/v1/namespaces/${namespace}/${RESOURCES[kind]}`;

const RESOURCES = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  DaemonSet: "daemonsets",
} as const;

const KINDS = Object.keys(RESOURCES) as WorkloadKind[];
