import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { FindingCode } from "../../shared/assess/catalogue.ts";
import type { Binding, CompiledBindings } from "../../shared/bindings/binding.ts";
import { fingerprintOf } from "../../shared/bindings/fingerprint.ts";
import { DEFAULT_RELAY_NAME } from "../../shared/bindings/relay-identity.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { parseBoundReference } from "../../shared/source/parse-secret-reference.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { applyBody } from "../../shared/sync/apply-body.ts";
import { awsClients } from "./aws-clients.ts";
import type { Backend } from "./backend.ts";
import { type KubernetesCall, kubernetesCall } from "./kubernetes-request.ts";
import { pinnedCluster } from "./relay.ts";
import { relayMetadataOf } from "./relay-metadata.ts";
import { becameOf, findingsIn } from "./rows.ts";

/** A source and its Secret, synced minutes ago. */
export type Member = {
  readonly source: { readonly name: string; readonly arn: string; readonly versionId: string };
  /** Its present entry in the bindings file. */
  readonly binding: Binding;
  /** Its planned or past drift. */
  readonly drift?: Drift;
};

type Became = TargetRow["action"] | NonNullable<TargetRow["outcome"]>;

/** A kind of drift, and the result of a sweep by metadata. */
export type Drift = {
  readonly name: string;
  readonly code: FindingCode;
  /** The action, or the verdict where nothing is tried. */
  readonly action: Became;
  /** The code under a refusal. */
  readonly refusal?: string;
  /** The action of the next sweep; absent if it finds nothing. */
  readonly again?: Became;
  /** The binding, where it differs from the default, which adopts and retains. */
  readonly rules?: Partial<Pick<Binding, "adopt" | "deletionPolicy">>;
  /** The binding as it was when the Secret was last applied. */
  readonly wasBoundAs?: (binding: Binding) => Binding;
  readonly isUnbound?: boolean;
  act(fleet: Fleet, member: Member): Promise<void>;
};

/** Many sources bound to as many Secrets, for a sweep. */
export type Fleet = {
  readonly backend: Backend;
  readonly members: readonly Member[];
  /** The compiled bindings of all members that are still bound. */
  readonly bindingsFile: string;
  readonly admin: KubernetesCall;
  readonly secrets: SecretsManagerClient;
  /** Applies its drift to each member. */
  drift(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
  readSecret(member: Member): Promise<any>;
  close(): Promise<void>;
};

export type FleetOptions = {
  readonly size: number;
  /** Which of its members drift; the last ones do. */
  readonly drifts?: readonly Drift[];
  /** Starts the names of its sources and namespaces. */
  readonly name?: string;
  readonly perNamespace?: number;
  readonly clusters?: CompiledBindings["clusters"];
  /** The cluster key of a member: `main` by default. Only `main` is written to. */
  readonly clusterOf?: (index: number) => string;
};

export async function openFleet(backend: Backend, options: FleetOptions): Promise<Fleet> {
  const { size, drifts = [], name = "fleet", perNamespace = 200 } = options;
  const admin = kubernetesCall(backend.kubernetes);
  const { secrets, destroy } = awsClients(backend.aws);
  const ownMetadata = relayMetadataOf(backend);
  const indexes = Array.from({ length: size }, (_, index) => index);
  const namespaceOf = (index: number) => `${name}-${Math.floor(index / perNamespace)}`;
  const nameOf = (index: number) => `${name}/team-${index % 7}/db-${index}`;

  const sources = await createSources(backend, secrets, indexes.map(nameOf));
  await allowRelay(backend, admin, name);
  for (const namespace of new Set(indexes.map(namespaceOf))) {
    await must(admin, "/api/v1/namespaces", {
      method: "POST",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    });
  }
  const members = indexes.map((index): Member => {
    const drift = drifts[index - (size - drifts.length)];
    const source = sources[index] as Member["source"];
    const target = {
      cluster: options.clusterOf?.(index) ?? "main",
      namespace: namespaceOf(index),
      name: `db-${index}`,
    };
    return { source, binding: bindingOf(source.name, target, drift?.rules), ...(drift && { drift }) };
  });
  const inMain = members.filter(({ binding }) => binding.target.cluster === "main");
  await inTurns(inMain, ({ source, binding, drift }) => {
    const wasBoundAs = drift?.wasBoundAs?.(binding) ?? binding;
    const read = {
      arn: source.arn,
      versionId: source.versionId as VersionId,
      value: SecretValue.fromText(sourceValue(source.name, "first")),
    };
    const desired = renderSecret(wasBoundAs, [read], ownMetadata);
    const notes = { annotations: ownMetadata.annotations, now: Date.now() - WRITTEN_AGO_MS };
    const body = applyBody(desired, undefined, notes);
    return must(admin, `${pathOf(binding.target)}?fieldManager=secret-relay&force=true`, {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body,
    });
  });

  const folder = await mkdtemp(join(tmpdir(), "relay-fleet-"));
  const bindingsFile = join(folder, "bindings.json");
  const bindings = members.filter(({ drift }) => !drift?.isUnbound).map(({ binding }) => binding);
  const clusters = options.clusters ?? { main: pinnedCluster(backend) };
  await writeFile(
    bindingsFile,
    JSON.stringify({ version: 1, relay: DEFAULT_RELAY_NAME, clusters, bindings } satisfies CompiledBindings),
  );

  const fleet: Fleet = {
    backend,
    members,
    bindingsFile,
    admin,
    secrets,
    drift: () => inTurns(members, (member) => member.drift?.act(fleet, member) ?? Promise.resolve()),
    readSecret: async ({ binding }) => {
      const { status, body } = await admin(pathOf(binding.target));
      return status === 404 ? undefined : body;
    },
    close: async () => {
      admin.close();
      destroy();
      await rm(folder, { recursive: true });
    },
  };
  return fleet;
}

/** The expected findings of a sweep, one line each; `actionOf` gives the action for each, undefined for none. */
export function expectedFindings(
  { members }: Fleet,
  actionOf: (drift: Drift) => string | undefined = ({ action }) => action,
): string[] {
  const lines = members.flatMap(({ binding, drift }) => {
    const action = drift && actionOf(drift);
    return action === undefined ? [] : [`${binding.target.name}: ${drift?.code}, ${action}`];
  });
  return lines.sort();
}

export function foundBy(report: Pick<SweepReport, "targets">): string[] {
  return findingsIn(report)
    .map((row) => `${row.name}: ${row.finding}, ${becameOf(row)}`)
    .sort();
}

/** The value of a source: its password contains the turn. */
export function sourceValue(source: string, turn: string): string {
  const user = source.slice(source.lastIndexOf("/") + 1);
  return JSON.stringify({
    username: user,
    password: `${turn}-${user}`,
    host: `${user}.example.com`,
    port: "5432",
  });
}

export function pathOf({ namespace, name }: Pick<Binding["target"], "namespace" | "name">): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

/** A request that must succeed. */
export async function must(
  call: KubernetesCall,
  path: string,
  options: Parameters<KubernetesCall>[1],
): Promise<void> {
  const { status, body } = await call(path, options);
  if (status >= 300) throw new Error(`${options?.method} ${path}: ${status} ${body?.message}`);
}

/** Limited concurrency: this is preparation. */
export async function inTurns<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const entries = items.values();
  const worker = async (): Promise<void> => {
    for (const item of entries) await run(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** Before all times that a drift annotates, and long enough for a write not to be recent. */
const WRITTEN_AGO_MS = 3 * 24 * 3_600_000;

function bindingOf(
  source: string,
  target: Binding["target"],
  { adopt = true, deletionPolicy = "retain" }: Drift["rules"] = {},
): Binding {
  const reference = parseBoundReference(source);
  if (reference === undefined) throw new TypeError(`${source} is not the name of a source`);
  const rules = {
    sources: [{ ...reference, keys: { kind: "all" } }],
    type: "Opaque",
    labels: { team: "shop" },
    annotations: {},
    adopt,
    deletionPolicy,
  } as const;
  return { ...rules, target, fingerprint: fingerprintOf(rules) };
}

async function createSources(
  { aws }: Backend,
  secrets: SecretsManagerClient,
  names: readonly string[],
): Promise<Member["source"][]> {
  if (isSeedable(aws)) {
    const seeds = names.map((name) => ({ name, value: sourceValue(name, "first") }));
    return aws.seedSecrets(seeds).map(({ name, arn, versionId = "" }) => ({ name, arn, versionId }));
  }
  const made: Member["source"][] = [];
  for (const name of names) {
    // Sequentially: moto fails with many at once.
    const SecretString = sourceValue(name, "first");
    const { ARN: arn = "", VersionId: versionId = "" } = await secrets.send(
      new CreateSecretCommand({ Name: name, SecretString }),
    );
    made.push({ name, arn, versionId });
  }
  return made;
}

type Seedable = {
  seedSecrets(
    seeds: Iterable<{ name: string; value: string }>,
  ): { name: string; arn: string; versionId?: string }[];
};

function isSeedable(aws: object): aws is Seedable {
  return "seedSecrets" in aws;
}

/** Everything that a sweep can use, in every namespace. */
async function allowRelay({ kubernetes }: Backend, admin: KubernetesCall, name: string): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const metadata = { name: `secret-relay-${name}` };
  const role = { apiVersion: `${apiGroup}/v1`, metadata };
  const verbs = ["get", "list", "create", "patch", "delete"];
  await must(admin, `/apis/${apiGroup}/v1/clusterroles`, {
    method: "POST",
    body: { ...role, kind: "ClusterRole", rules: [{ apiGroups: [""], resources: ["secrets"], verbs }] },
  });
  await must(admin, `/apis/${apiGroup}/v1/clusterrolebindings`, {
    method: "POST",
    body: {
      ...role,
      kind: "ClusterRoleBinding",
      roleRef: { apiGroup, kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup, kind: "Group", name: kubernetes.relayGroup }],
    },
  });
}
