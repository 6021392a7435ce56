import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { type KubernetesCall, kubernetesCall } from "../../test/contract/kubernetes-request.ts";
import type { Random } from "../random.ts";
import type { ChaosSettings } from "../settings.ts";
import { NAMESPACES, type World, type WorldCluster } from "./world.ts";

/** A Kubernetes Secret that is bound to a source. */
export type Target = {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** A second source, merged in under the key `also`. */
  readonly also?: string;
  /** A sweep deletes it once its source is gone. */
  readonly isDeletable: boolean;
  /** What somebody else has changed may be taken back by force; otherwise a person must decide. */
  readonly isAdopting: boolean;
};

export type Fleet = {
  readonly targets: readonly Target[];
  readonly sourceNames: readonly string[];
  /** Compiled, as the build makes it. */
  readonly bindingsFile: string;
  /** Bare calls to a cluster as its administrator. */
  admin(cluster: string): KubernetesCall;
  close(): void;
};

/** What a target takes from one of its sources. */
export type Part = {
  readonly source: string;
  /** The data key that holds its password. */
  readonly dataKey: string;
  /** Which of the target's sources it is. */
  readonly index: number;
};

export function partsOf({ source, also }: Target): readonly Part[] {
  const first = { source, dataKey: "password", index: 0 };
  return also === undefined ? [first] : [first, { source: also, dataKey: "also", index: 1 }];
}

export function keyOfPart(target: Target, { source }: Part): string {
  return `${keyOfTarget(target)} from ${source}`;
}

export function keyOfTarget({
  cluster,
  namespace,
  name,
}: Pick<Target, "cluster" | "namespace" | "name">): string {
  return `${cluster}/${namespace}/${name}`;
}

/** Binds each source to one to four Secrets in any of the clusters, and grants the relay no more than those. */
export async function openFleet(world: World, settings: ChaosSettings, random: Random): Promise<Fleet> {
  const targets = drawTargets(world.clusters, settings.bindings, random);
  const bySource = Map.groupBy(targets, ({ source }) => source);
  const admins = new Map(world.clusters.map(({ key, backend }) => [key, kubernetesCall(backend)]));
  const admin = (cluster: string): KubernetesCall => {
    const call = admins.get(cluster);
    if (call === undefined) throw new TypeError(`There is no cluster ${cluster}`);
    return call;
  };
  for (const { key, backend } of world.clusters) {
    await grant(
      admin(key),
      targets.filter(({ cluster }) => cluster === key),
      backend.relayGroup,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "chaos-"));
  const bindingsFile = join(folder, "bindings.json");
  const file = {
    version: 1,
    clusters: Object.fromEntries(world.clusters.map(({ key, entry }) => [key, entry])),
    bindings: [...bySource].map(([source, ofSource]) => ({
      ...sourcesOf(source, ofSource[0]?.also),
      targets: ofSource.map(({ cluster, namespace, name }) => ({ cluster, namespace, name })),
      ...(ofSource.some(({ isDeletable }) => isDeletable) && { deletionPolicy: "delete" }),
      ...(ofSource.some(({ isAdopting }) => isAdopting) && { adopt: true }),
    })),
  };
  writeFileSync(bindingsFile, JSON.stringify(loadBindings(JSON.stringify(file), "bindings.yaml")));
  return {
    targets,
    sourceNames: [...bySource.keys()],
    bindingsFile,
    admin,
    close: () => {
      for (const call of admins.values()) call.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function sourcesOf(source: string, also: string | undefined): object {
  return also === undefined
    ? { source }
    : { sources: [{ source }, { source: also, keys: { also: "password" } }] };
}

function drawTargets(clusters: readonly WorldCluster[], count: number, random: Random): Target[] {
  const targets: Target[] = [];
  for (let source = 0; targets.length < count; source += 1) {
    const isDeletable = source % 10 === 9;
    const copies = Math.min(1 + random.below(4), count - targets.length);
    for (let copy = 0; copy < copies; copy += 1) {
      targets.push({
        cluster: random.pick(clusters).key,
        namespace: random.pick(NAMESPACES),
        name: `secret-${String(targets.length).padStart(4, "0")}`,
        source: nameOfSource(source),
        // A fifth of the bindings; of sources that nobody deletes, as those that end in 5 and 9 may be.
        ...(source % 5 === 2 && { also: nameOfSource(source - 1) }),
        isDeletable,
        isAdopting: source % 2 === 0,
      });
    }
  }
  return targets;
}

function nameOfSource(index: number): string {
  return `chaos/source-${String(index).padStart(3, "0")}`;
}

/** What docs/permissions.md generates: get, create and patch by name, list for the sweep, delete where it is wanted. */
async function grant(admin: KubernetesCall, targets: readonly Target[], group: string): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const post = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await admin(path, { method: "POST", body });
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${answer?.message}`);
  };
  for (const namespace of NAMESPACES) {
    await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const ofNamespace = targets.filter((target) => target.namespace === namespace);
    const rules = [
      { names: ofNamespace, verbs: ["get", "create", "patch"] },
      { names: ofNamespace.filter(({ isDeletable }) => isDeletable), verbs: ["delete"] },
    ].filter(({ names }) => names.length > 0);
    const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
    const metadata = { name: "secret-relay" };
    await post(`${path}/roles`, {
      apiVersion: `${apiGroup}/v1`,
      kind: "Role",
      metadata,
      rules: [
        ...rules.map(({ names, verbs }) => ({
          apiGroups: [""],
          resources: ["secrets"],
          resourceNames: names.map(({ name }) => name),
          verbs,
        })),
        { apiGroups: [""], resources: ["secrets"], verbs: ["list"] },
      ],
    });
    await post(`${path}/rolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup, kind: "Role", name: "secret-relay" },
      subjects: [{ apiGroup, kind: "Group", name: group }],
    });
  }
}
