import { loadBindings } from "../../../shared/bindings/load-bindings.ts";
import {
  DEFAULT_RELAY_NAME,
  type RelayMetadata,
  relayMetadata,
} from "../../../shared/bindings/relay-identity.ts";
import { type KubernetesCall, kubernetesCall } from "../../harness/kubernetes-request.ts";
import type { Taken } from "../expected-state.ts";
import { Random } from "../random.ts";
import type { ChaosSettings } from "../settings.ts";
import { type ChangingTarget, RelayBindings } from "./changing.ts";
import { drawWorkloads, NO_WORKLOADS, type Workloads } from "./workloads.ts";
import { NAMESPACES, type SecretName, type World, type WorldCluster } from "./world.ts";

/** A Kubernetes Secret that is bound to a source. */
export type Target = SecretName & {
  readonly cluster: string;
  /** The metadata by which its relay recognises its own Secrets. */
  readonly ownMetadata: RelayMetadata;
  /** The first source decides when it is deleted. */
  readonly parts: readonly [Part, ...Part[]];
  /** A sweep deletes it once its source is gone. */
  readonly isDeletable: boolean;
  readonly isAdopting: boolean;
  /** `ownership: keys`: the other relay binds other keys of the same Secret. */
  readonly isShared: boolean;
  /** `foreignKeys: remove` */
  readonly removesForeignKeys: boolean;
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

/** A Secret that no relay may touch, whatever its metadata. */
export type Bystander = SecretName & {
  readonly cluster: string;
  readonly what:
    | "has a bound name, and existed before"
    | "has a bound name and our label, and existed before"
    | "is a copy of ours, with our label and our annotations";
};

export type Fleet = {
  /** Of both relays. */
  readonly targets: readonly Target[];
  readonly bystanders: readonly Bystander[];
  /** Those that read the targets; `createWorkloads` creates them. */
  readonly workloads: Workloads;
  readonly sourceNames: readonly string[];
  /** Their AWSPREVIOUS is bound, so there must be one. */
  readonly sourcesWithPrevious: readonly string[];
  /** The first version of each source. */
  firstVersionOf(source: string): string;
  /** The bindings of each relay, in the order of `RELAYS`. */
  readonly bindings: readonly [RelayBindings, RelayBindings];
  /** Calls to a cluster as its administrator. */
  admin(cluster: string): KubernetesCall;
  close(): void;
};

export function keyOfPart(target: Target, { source, taken }: Part): string {
  return `${keyOfTarget(target)} of ${target.ownMetadata.self.name} from ${source}${taken === "AWSCURRENT" ? "" : ` (${taken})`}`;
}

export function keyOfTarget({ cluster, namespace, name }: SecretName & { readonly cluster: string }): string {
  return `${cluster}/${namespace}/${name}`;
}

/** Two installations in the same account, clusters and namespaces. */
export const RELAYS = [DEFAULT_RELAY_NAME, "pay"] as const;

/**
 * Binds each source to one to four Secrets in any of the clusters. A fifth of the Secrets belong to the second relay.
 */
export async function openFleet(world: World, settings: ChaosSettings, random: Random): Promise<Fleet> {
  const { accountId, region } = world.aws;
  const [first, second] = RELAYS.map((name) =>
    relayMetadata({ name, partition: "aws", accountId, region }),
  ) as [RelayMetadata, RelayMetadata];
  const ofSecond = Math.ceil(settings.bindings / 5);
  const drawnOfFirst = drawBindings(FIRST, first, world.clusters, settings.bindings - ofSecond, random);
  const drawnOfSecond = drawBindings(SECOND, second, world.clusters, ofSecond, random);
  const shared = drawShared(drawnOfFirst, drawnOfSecond, world.clusters, random);
  const bindings = [...drawnOfFirst, ...drawnOfSecond, ...shared];
  const targets = bindings.flatMap((binding) => (binding.isOccupied ? [] : binding.targets));
  const keptSources = targets.map(({ parts: [{ source }] }) => source).filter(isKept);
  const changing = [drawnOfFirst, drawnOfSecond].flatMap((drawn) => drawChanging(drawn, keptSources, random));
  const sourceNames = [...new Set(targets.map(({ parts: [{ source }] }) => source))];
  const bystanders = bystandersOf(bindings, world.clusters);
  const workloads = world.clusters.every(({ hasControllers }) => hasControllers)
    ? drawWorkloads(targets, world.clusters, new Random(settings.seed, "workloads"))
    : NO_WORKLOADS;
  const firstVersions = new Map(sourceNames.map((name) => [name, random.uuid()]));
  const firstVersionOf = (source: string): string => firstVersions.get(source) ?? "";
  const admins = new Map(world.clusters.map(({ key, backend }) => [key, kubernetesCall(backend)]));
  const admin = (cluster: string): KubernetesCall => {
    const call = admins.get(cluster);
    if (call === undefined) throw new TypeError(`Unknown cluster ${cluster}`);
    return call;
  };
  for (const { key, backend } of world.clusters) {
    const here = bindings.flatMap((binding) => binding.targets).filter(({ cluster }) => cluster === key);
    const others = bystanders.filter(({ cluster }) => cluster === key);
    const changingHere = changing.filter(({ cluster }) => cluster === key);
    await grant(admin(key), [...here, ...changingHere], others, backend.relayGroup);
    for (const other of others) await createBystander(admin(key), other, first);
  }
  const bindingsOf = (relay: string): RelayBindings => {
    const file = {
      version: 1,
      relay,
      clusters: Object.fromEntries(world.clusters.map(({ key, entry }) => [key, entry])),
      bindings: bindings
        .filter(({ targets: [{ ownMetadata }] }) => ownMetadata.self.name === relay)
        .map((binding) => printBinding(binding, firstVersionOf, workloads)),
    };
    return new RelayBindings(
      loadBindings(JSON.stringify(file), "bindings.yaml"),
      changing.filter(({ ownMetadata }) => ownMetadata.self.name === relay),
    );
  };
  const previous = targets.flatMap(({ parts }) => parts.filter(({ taken }) => taken === "AWSPREVIOUS"));
  return {
    targets,
    bystanders,
    workloads,
    sourceNames,
    sourcesWithPrevious: [...new Set(previous.map(({ source }) => source))],
    firstVersionOf,
    bindings: [bindingsOf(RELAYS[0]), bindingsOf(RELAYS[1])],
    admin,
    close: () => {
      for (const call of admins.values()) call.close();
    },
  };
}

type FleetBinding = {
  readonly targets: readonly [Target, ...Target[]];
  /** Another owner's Secret has the name. */
  readonly isOccupied: boolean;
};

function printBinding(
  { targets }: FleetBinding,
  firstVersionOf: (source: string) => string,
  { restarts }: Workloads,
): object {
  const [{ parts, isDeletable, isAdopting, isShared, removesForeignKeys }] = targets;
  const sources = parts.map(({ source, taken, dataKey }, index) => ({
    source,
    ...(taken === "AWSPREVIOUS" && { stage: taken }),
    ...(taken === "pinned" && { versionId: firstVersionOf(source) }),
    ...((index > 0 || isShared) && { keys: { [dataKey]: "password" } }),
  }));
  return {
    ...(sources.length === 1 ? sources[0] : { sources }),
    targets: targets.map((target) => {
      const { cluster, namespace, name } = target;
      const restart = restarts.get(target);
      return { cluster, namespace, name, ...(restart && { restart }) };
    }),
    ...(isDeletable && { deletionPolicy: "delete" }),
    ...(isAdopting && { adopt: true }),
    ...(isShared && { ownership: "keys" }),
    ...(removesForeignKeys && { foreignKeys: "remove" }),
  };
}

/**
 * Of ten sources: two share one Secret with another source; one has its AWSPREVIOUS in a separate Secret, and one
 * beside AWSCURRENT; one has its first version pinned in another Secret; one may be deleted with its Secrets; and one
 * is also bound to a name that another owner has taken.
 */
function drawBindings(
  { from, sources, secrets }: Names,
  ownMetadata: RelayMetadata,
  clusters: readonly WorldCluster[],
  count: number,
  random: Random,
): FleetBinding[] {
  const bindings: FleetBinding[] = [];
  const nameOfSource = (index: number): string => `${sources}-${String(index).padStart(3, "0")}`;
  let drawn = 0;
  for (let index = from; drawn < count; index += 1) {
    const shape = index % 10;
    const source = nameOfSource(index);
    const target = (parts: Target["parts"], isAdopting = index % 2 === 0): Target => {
      drawn += 1;
      return {
        cluster: random.pick(clusters).key,
        namespace: random.pick(NAMESPACES),
        name: `${secrets}-${String(drawn).padStart(4, "0")}`,
        ownMetadata,
        parts,
        isDeletable: shape === 9,
        isAdopting,
        isShared: false,
        removesForeignKeys: shape === 3 || shape === 7,
      };
    };
    const own = part({ source });
    const beside: Readonly<Record<number, Part>> = {
      // Only of sources that are never deleted: those ending in 5 and 9 may be.
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

/** A source that no run deletes. */
const isKept = (source: string): boolean => /[0168]$/.test(source);

type Names = { readonly from: number; readonly sources: string; readonly secrets: string };

const FIRST: Names = { from: 0, sources: "test/chaos/source", secrets: "secret" };
/** Begins with a source that may be deleted, so that a small fleet has one, too. */
const SECOND: Names = { from: 9, sources: "test/chaos/pay", secrets: "pay" };

/** Secrets in which each relay owns one key, from sources that are never deleted. */
function drawShared(
  ofFirst: readonly FleetBinding[],
  ofSecond: readonly FleetBinding[],
  clusters: readonly WorldCluster[],
  random: Random,
): FleetBinding[] {
  const kept = (bindings: readonly FleetBinding[]) =>
    bindings.filter(({ targets: [{ parts }] }) => parts.length === 1 && isKept(parts[0].source));
  const theirs = kept(ofSecond);
  const pairs = kept(ofFirst).slice(0, Math.max(2, Math.ceil(ofFirst.length / 12)));
  return pairs.flatMap((binding, index) => {
    const other = theirs[index % theirs.length];
    if (other === undefined) return [];
    const common = {
      cluster: random.pick(clusters).key,
      namespace: random.pick(NAMESPACES),
      name: `shared-${String(index).padStart(4, "0")}`,
      isDeletable: false,
      isAdopting: false,
      isShared: true,
      removesForeignKeys: false,
    };
    const of = (from: FleetBinding, dataKey: string): FleetBinding => {
      const [{ ownMetadata, parts }] = from.targets;
      const shared: Part = { source: parts[0].source, taken: "AWSCURRENT", dataKey, index: 0 };
      return { targets: [{ ...common, ownMetadata, parts: [shared] }], isOccupied: false };
    };
    return [of(binding, "password"), of(other, "payment")];
  });
}

/**
 * Secrets whose bindings change, each beside one that stays: a sweep finds orphans only where something is bound, and
 * deletes no more Secrets than are bound.
 */
function drawChanging(
  bindings: readonly FleetBinding[],
  sources: readonly string[],
  random: Random,
): ChangingTarget[] {
  const beside = bindings.flatMap(({ targets, isOccupied }) => (isOccupied ? [] : targets));
  const count = Math.min(beside.length, Math.max(2, Math.ceil(beside.length / 6)));
  return beside.slice(0, count).map(({ cluster, namespace, name, ownMetadata }) => ({
    ...{ cluster, namespace, name: `changing-${name}`, ownMetadata },
    source: random.pick(sources),
  }));
}

function part({ source, taken = "AWSCURRENT", index = 0 }: Partial<Part> & Pick<Part, "source">): Part {
  return { source, taken, dataKey: index === 0 ? "password" : "also", index };
}

/** Only the relay's own checks protect them: its Role would allow everything. */
function bystandersOf(bindings: readonly FleetBinding[], clusters: readonly WorldCluster[]): Bystander[] {
  const occupied = bindings
    .filter(({ isOccupied }) => isOccupied)
    .map(({ targets: [{ cluster, namespace, name }] }, index): Bystander => {
      const isLabelled = index % 2 === 0;
      const what = isLabelled
        ? "has a bound name and our label, and existed before"
        : "has a bound name, and existed before";
      return { cluster, namespace, name, what };
    });
  const copies = clusters.flatMap(({ key }) =>
    NAMESPACES.map((namespace): Bystander => {
      const what = "is a copy of ours, with our label and our annotations";
      return { cluster: key, namespace, name: "somebody-elses", what };
    }),
  );
  return [...occupied, ...copies];
}

async function createBystander(
  admin: KubernetesCall,
  { namespace, name, what }: Bystander,
  ownMetadata: RelayMetadata,
): Promise<void> {
  const isLabelled = what !== "has a bound name, and existed before";
  const isCopy = what === "is a copy of ours, with our label and our annotations";
  const metadata = {
    name,
    ...(isLabelled && { labels: { [ownMetadata.managedLabel]: ownMetadata.identity } }),
    ...(isCopy && {
      annotations: {
        [ownMetadata.annotations.source]: "test/chaos/source-000",
        [ownMetadata.annotations.deletionPolicy]: "delete",
        [ownMetadata.annotations.keys]: "password",
      },
    }),
  };
  const path = `/api/v1/namespaces/${namespace}/secrets?fieldManager=kubectl-create`;
  const data = { password: Buffer.from("of another owner").toString("base64") };
  const { status } = await admin(path, {
    method: "POST",
    body: { apiVersion: "v1", kind: "Secret", metadata, data },
  });
  if (status !== 201) throw new Error(`${name} could not be created: ${status}`);
}

/** get, create, patch and delete by name, and list for the sweep. */
async function grant(
  admin: KubernetesCall,
  targets: readonly SecretName[],
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
      // One group for both relays, with more permissions than either needs: only their own checks keep them apart.
      { names: [...ofNamespace, ...ofOthers], verbs: ["get", "create", "patch", "delete"] },
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
