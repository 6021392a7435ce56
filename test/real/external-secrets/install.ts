import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { Backend } from "../../harness/backend.ts";
import type { EsoVersion } from "../../harness/eso-scene.ts";
import { kubernetesCall } from "../../harness/kubernetes-request.ts";

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
 * Installs ESO's own custom resource definitions, and no controller. This release serves v1 and keeps the schema of
 * v1beta1 without serving it; an installation of v1beta1 serves that one instead.
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
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
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
  const versions = definition.spec.versions.map((each) => ({
    ...each,
    served: each.name === "v1alpha1" ? each.served : each.name === version,
  }));
  return { ...definition, spec: { ...definition.spec, versions } };
}

async function untilServed(ask: () => Promise<{ status: number }>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await ask()).status === 200) return;
    await sleep(100);
  }
  throw new Error("ESO's resources are not served after 20 s");
}
