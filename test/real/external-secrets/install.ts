import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { Backend } from "../../harness/backend.ts";
import type { EsoVersion } from "../../harness/eso-scene.ts";
import { kubernetesCall } from "../../harness/kubernetes-request.ts";
import { AWS_STORE_FIELDS, type EsoField, EXTERNAL_SECRET_FIELDS } from "../../import-eso/eso-fields.ts";

/** Where download.sh has put what ESO's module holds: `crds.yaml` and `snippets`. */
export function externalSecretsFile(path: string): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const file = join(cache, "eks-secret-relay", "external-secrets", "v1.3.2", path);
  if (!existsSync(file)) {
    throw new Error(`ESO's definitions are missing: run test/real/external-secrets/download.sh (${file})`);
  }
  return file;
}

/**
 * Installs ESO's own custom resource definitions, and no controller. v1 has the fields and defaults up to 2.9, and v1beta1
 * is not served beside it, as since 2.0; an old installation serves v1beta1 alone.
 */
export async function installExternalSecrets(backend: Backend, version: EsoVersion): Promise<void> {
  const admin = kubernetesCall(backend.kubernetes);
  try {
    for (const definition of readDefinitions()) {
      const body = serving(definition, version);
      const answer = await admin(DEFINITIONS, { method: "POST", body });
      if (answer.status !== 201) {
        throw new Error(`${definition.metadata.name}: ${answer.status} ${answer.body?.message}`);
      }
    }
    for (const { spec } of readDefinitions()) {
      const served = spec.versions.some(({ name }) => name === version) ? version : "v1alpha1";
      await untilServed(() => admin(`/apis/${spec.group}/${served}/${spec.names.plural}`));
    }
  } finally {
    admin.close();
  }
}

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Definition = {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly Version[];
  };
};

type Version = {
  readonly name: string;
  readonly served: boolean;
  readonly schema: { readonly openAPIV3Schema: Schema };
};

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  default?: unknown;
  enum?: unknown[];
};

function readDefinitions(): readonly Definition[] {
  const documents = parseAllDocuments(readFileSync(externalSecretsFile("crds.yaml"), "utf8"));
  return documents
    .map((each) => each.toJS() as Definition)
    .filter(({ metadata }) => NEEDED.has(metadata.name));
}

const NEEDED = new Set(
  ["externalsecrets", "clusterexternalsecrets", "secretstores", "clustersecretstores", "pushsecrets"].map(
    (plural) => `${plural}.external-secrets.io`,
  ),
);

function serving(definition: Definition, version: EsoVersion): Definition {
  const { kind } = definition.spec.names;
  const versions = definition.spec.versions.map((each) => ({
    ...(each.name === "v1" ? withLaterFields(kind, each) : each),
    served: each.name === "v1alpha1" ? each.served : each.name === version,
  }));
  return { ...definition, spec: { ...definition.spec, versions } };
}

/**
 * v1 with every field up to release 2.9, and with every default that a release stores: the Go proxy has no module after
 * 1.3.2. A cluster stores the defaults of each release that it once ran.
 */
function withLaterFields(kind: string, version: Version): Version {
  const copy = structuredClone(version);
  const { spec } = copy.schema.openAPIV3Schema.properties ?? {};
  if (spec === undefined) throw new Error(`${kind} has no schema of its spec`);
  if (kind === "ExternalSecret") addFields(spec, "", EXTERNAL_SECRET_FIELDS);
  if (kind === "ClusterExternalSecret") addFields(spec, "externalSecretSpec.", EXTERNAL_SECRET_FIELDS);
  if (kind.endsWith("SecretStore")) addFields(spec, "", AWS_STORE_FIELDS);
  return copy;
}

function addFields(spec: Schema, prefix: string, fields: readonly EsoField[]): void {
  for (const { path, defaults } of fields) {
    let at = spec;
    for (const step of `${prefix}${path}`.split(".")) {
      const name = step.replace("[]", "");
      at.type ??= "object";
      at.properties ??= {};
      at.properties[name] ??= {};
      at = at.properties[name];
      if (step.endsWith("[]")) {
        at.type ??= "array";
        at.items ??= {};
        at = at.items;
      }
    }
    if (at.type === undefined) Object.assign(at, MAPS.has(path) ? MAP : { type: "string" });
    const [newest] = defaults.slice(-1);
    if (newest !== undefined) at.default = newest;
    if (path === "target.creationPolicy") at.enum?.push("CreateOrMerge");
  }
}

const MAPS: ReadonlySet<string> = new Set(["provider.aws.customSessionTags"]);
const MAP = { type: "object", additionalProperties: { type: "string" } };

async function untilServed(ask: () => Promise<{ status: number }>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await ask()).status === 200) return;
    await sleep(100);
  }
  throw new Error("ESO's resources are not served after 20 s");
}
