import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { ANNOTATIONS, MANAGED_LABEL } from "../../shared/render/ownership-marks.ts";
import { type KubernetesCall, kubernetesCall } from "../../test/contract/kubernetes-request.ts";
import type { Taken } from "../ledger.ts";
import type { Random } from "../random.ts";
import type { ChaosSettings } from "../settings.ts";
import { NAMESPACES, type SecretName, type World, type WorldCluster } from "./world.ts";

/** A Kubernetes Secret that is bound to a source. */
export type Target = SecretName & {
  readonly cluster: string;
  /** The first one decides when it is deleted. */
  readonly parts: readonly [Part, ...Part[]];
  /** A sweep deletes it once its source is gone. */
  readonly isDeletable: boolean;
  /** What somebody else has changed may be taken back by force; otherwise a person must decide. */
  readonly isAdopting: boolean;
};

/** What a target takes from one of its sources. */
export type Part = {
  readonly source: string;
  readonly taken: Taken;
  /** The data key that holds its password. */
  readonly dataKey: string;
  /** Which of the target's sources it is. */
  readonly index: number;
};

/** A Secret that is nobody's business, whatever it looks like. */
export type Bystander = SecretName & {
  readonly cluster: string;
  readonly what:
    | "has a bound name, and was there before"
    | "has a bound name and our label, and was there before"
    | "is a copy of ours, with our label and our notes";
};

export type Fleet = {
  readonly targets: readonly Target[];
  readonly bystanders: readonly Bystander[];
  readonly sourceNames: readonly string[];
  /** Their AWSPREVIOUS is bound, so there must be one. */
  readonly sourcesWithPrevious: readonly string[];
  /** The version that each source begins with. */
  firstVersionOf(source: string): string;
  /** Compiled, as the build makes it. */
  readonly bindingsFile: string;
  /** Bare calls to a cluster as its administrator. */
  admin(cluster: string): KubernetesCall;
  close(): void;
};

export function keyOfPart(target: Target, { source, taken }: Part): string {
  return `${keyOfTarget(target)} from ${source}${taken === "AWSCURRENT" ? "" : ` (${taken})`}`;
}

export function keyOfTarget({ cluster, namespace, name }: SecretName & { readonly cluster: string }): string {
  return `${cluster}/${namespace}/${name}`;
}

/** Binds each source to one to four Secrets in any of the clusters, and grants the relay no more than those. */
export async function openFleet(world: World, settings: ChaosSettings, random: Random): Promise<Fleet> {
  const bindings = drawBindings(world.clusters, settings.bindings, random);
  const targets = bindings.flatMap((binding) => (binding.isOccupied ? [] : binding.targets));
  const sourceNames = [...new Set(targets.map(({ parts: [{ source }] }) => source))];
  const bystanders = bystandersOf(bindings, world.clusters);
  const firstVersions = new Map(sourceNames.map((name) => [name, random.uuid()]));
  const firstVersionOf = (source: string): string => firstVersions.get(source) ?? "";
  const admins = new Map(world.clusters.map(({ key, backend }) => [key, kubernetesCall(backend)]));
  const admin = (cluster: string): KubernetesCall => {
    const call = admins.get(cluster);
    if (call === undefined) throw new TypeError(`There is no cluster ${cluster}`);
    return call;
  };
  for (const { key, backend } of world.clusters) {
    const here = bindings.flatMap((binding) => binding.targets).filter(({ cluster }) => cluster === key);
    const others = bystanders.filter(({ cluster }) => cluster === key);
    await grant(admin(key), here, others, backend.relayGroup);
    for (const other of others) await createBystander(admin(key), other);
  }
  const folder = mkdtempSync(join(tmpdir(), "chaos-"));
  const bindingsFile = join(folder, "bindings.json");
  const file = {
    version: 1,
    clusters: Object.fromEntries(world.clusters.map(({ key, entry }) => [key, entry])),
    bindings: bindings.map((binding) => printBinding(binding, firstVersionOf)),
  };
  writeFileSync(bindingsFile, JSON.stringify(loadBindings(JSON.stringify(file), "bindings.yaml")));
  const previous = targets.flatMap(({ parts }) => parts.filter(({ taken }) => taken === "AWSPREVIOUS"));
  return {
    targets,
    bystanders,
    sourceNames,
    sourcesWithPrevious: [...new Set(previous.map(({ source }) => source))],
    firstVersionOf,
    bindingsFile,
    admin,
    close: () => {
      for (const call of admins.values()) call.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type FleetBinding = {
  readonly targets: readonly [Target, ...Target[]];
  /** Somebody else's Secret has the name. */
  readonly isOccupied: boolean;
};

function printBinding({ targets }: FleetBinding, firstVersionOf: (source: string) => string): object {
  const [{ parts, isDeletable, isAdopting }] = targets;
  const sources = parts.map(({ source, taken, dataKey }, index) => ({
    source,
    ...(taken === "AWSPREVIOUS" && { stage: taken }),
    ...(taken === "pinned" && { versionId: firstVersionOf(source) }),
    ...(index > 0 && { keys: { [dataKey]: "password" } }),
  }));
  return {
    ...(sources.length === 1 ? sources[0] : { sources }),
    targets: targets.map(({ cluster, namespace, name }) => ({ cluster, namespace, name })),
    ...(isDeletable && { deletionPolicy: "delete" }),
    ...(isAdopting && { adopt: true }),
  };
}

/**
 * Of ten sources: two with another one beside it in one Secret, one whose AWSPREVIOUS is kept in a Secret of its own and
 * one that keeps it beside AWSCURRENT, one whose first version is pinned in a further Secret, one that may be deleted
 * with its Secrets, and one that is also bound to a name that somebody else has taken.
 */
function drawBindings(clusters: readonly WorldCluster[], count: number, random: Random): FleetBinding[] {
  const bindings: FleetBinding[] = [];
  let drawn = 0;
  for (let index = 0; drawn < count; index += 1) {
    const shape = index % 10;
    const source = nameOfSource(index);
    const target = (parts: Target["parts"], isAdopting = index % 2 === 0): Target => {
      drawn += 1;
      return {
        cluster: random.pick(clusters).key,
        namespace: random.pick(NAMESPACES),
        name: `secret-${String(drawn).padStart(4, "0")}`,
        parts,
        isDeletable: shape === 9,
        isAdopting,
      };
    };
    const own = part({ source });
    const beside: Readonly<Record<number, Part>> = {
      // Of sources that nobody deletes, as those that end in 5 and 9 may be.
      2: part({ source: nameOfSource(index - 1), index: 1 }),
      4: part({ source, taken: "AWSPREVIOUS", index: 1 }),
      7: part({ source: nameOfSource(index - 1), index: 1 }),
    };
    const also = beside[shape];
    const parts: Target["parts"] = also === undefined ? [own] : [own, also];
    const copies = Array.from({ length: random.below(4) }, () => target(parts));
    bindings.push({ targets: [target(parts), ...copies], isOccupied: false });
    const alone = (taken: Taken): FleetBinding => ({
      targets: [target([part({ source, taken })])],
      isOccupied: false,
    });
    if (shape === 3) bindings.push(alone("AWSPREVIOUS"));
    if (shape === 8) bindings.push(alone("pinned"));
    if (shape === 9) bindings.push({ targets: [target([own], false)], isOccupied: true });
  }
  return bindings;
}

function part({ source, taken = "AWSCURRENT", index = 0 }: Partial<Part> & Pick<Part, "source">): Part {
  return { source, taken, dataKey: index === 0 ? "password" : "also", index };
}

function nameOfSource(index: number): string {
  return `chaos/source-${String(index).padStart(3, "0")}`;
}

/** Nothing but the relay's own care protects them: its Role would allow everything. */
function bystandersOf(bindings: readonly FleetBinding[], clusters: readonly WorldCluster[]): Bystander[] {
  const occupied = bindings
    .filter(({ isOccupied }) => isOccupied)
    .map(({ targets: [{ cluster, namespace, name }] }, index): Bystander => {
      const isLabelled = index % 2 === 0;
      const what = isLabelled
        ? "has a bound name and our label, and was there before"
        : "has a bound name, and was there before";
      return { cluster, namespace, name, what };
    });
  const copies = clusters.flatMap(({ key }) =>
    NAMESPACES.map((namespace): Bystander => {
      const what = "is a copy of ours, with our label and our notes";
      return { cluster: key, namespace, name: "somebody-elses", what };
    }),
  );
  return [...occupied, ...copies];
}

async function createBystander(admin: KubernetesCall, { namespace, name, what }: Bystander): Promise<void> {
  const isLabelled = what !== "has a bound name, and was there before";
  const isCopy = what === "is a copy of ours, with our label and our notes";
  const metadata = {
    name,
    ...(isLabelled && { labels: { [MANAGED_LABEL]: "true" } }),
    ...(isCopy && {
      annotations: {
        [ANNOTATIONS.source]: nameOfSource(0),
        [ANNOTATIONS.deletionPolicy]: "delete",
        [ANNOTATIONS.keys]: "password",
      },
    }),
  };
  const path = `/api/v1/namespaces/${namespace}/secrets?fieldManager=kubectl-create`;
  const data = { password: Buffer.from("of somebody else").toString("base64") };
  const { status } = await admin(path, {
    method: "POST",
    body: { apiVersion: "v1", kind: "Secret", metadata, data },
  });
  if (status !== 201) throw new Error(`${name} could not be made: ${status}`);
}

/** What docs/permissions.md generates: get, create and patch by name, list for the sweep, delete where it is wanted. */
async function grant(
  admin: KubernetesCall,
  targets: readonly Target[],
  others: readonly Bystander[],
  group: string,
): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const post = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await admin(path, { method: "POST", body });
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${answer?.message}`);
  };
  for (const namespace of NAMESPACES) {
    await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const ofNamespace = targets.filter((target) => target.namespace === namespace);
    const ofOthers = others.filter((other) => other.namespace === namespace);
    const rules: { names: readonly SecretName[]; verbs: string[] }[] = [
      { names: [...ofNamespace, ...ofOthers], verbs: ["get", "create", "patch"] },
      { names: [...ofNamespace.filter(({ isDeletable }) => isDeletable), ...ofOthers], verbs: ["delete"] },
    ];
    const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
    const metadata = { name: "secret-relay" };
    await post(`${path}/roles`, {
      apiVersion: `${apiGroup}/v1`,
      kind: "Role",
      metadata,
      rules: [
        ...rules
          .filter(({ names }) => names.length > 0)
          .map(({ names, verbs }) => ({
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
