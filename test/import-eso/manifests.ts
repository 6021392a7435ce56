import { stringify } from "yaml";
import {
  type Conversions,
  convertManifests,
  type ImportOptions,
} from "../../cli/import-eso/convert-manifests.ts";
import { readManifests } from "../../cli/import-eso/manifest.ts";

export const OPTIONS: ImportOptions = {
  cluster: { key: "prod", name: "prod-eks", region: "eu-west-1" },
  location: { region: "eu-west-1", accountId: "111122223333" },
  assumeStores: false,
  namespace: "shop",
};

/** A ClusterSecretStore `aws`, of AWS Secrets Manager where the functions run. */
export function store(aws: object = {}, rest: object = {}): object {
  return {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: "aws" },
    spec: { provider: { aws: { service: "SecretsManager", region: "eu-west-1", ...aws } }, ...rest },
  };
}

/** An ExternalSecret shop/app that reads through it. */
export function externalSecret(spec: object, metadata: object = {}): object {
  return {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name: "app", namespace: "shop", ...metadata },
    spec: { secretStoreRef: { kind: "ClusterSecretStore", name: "aws" }, refreshInterval: "1h", ...spec },
  };
}

/** One entry of data, of source prod/db. */
export const pick = (secretKey: string, remoteRef: object = {}): object => ({
  secretKey,
  remoteRef: { key: "prod/db", ...remoteRef },
});

/** Converts them as one file. */
export function convert(objects: readonly object[], options: Partial<ImportOptions> = {}): Conversions {
  const text = objects.map((object) => stringify(object)).join("---\n");
  const { manifests, problems } = readManifests("all.yaml", text);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return convertManifests(manifests, { ...OPTIONS, ...options });
}

/** The binding of a single ExternalSecret, without its targets; or its objections, as `path CODE`. */
export function convertOne(
  spec: object,
  { metadata = {}, aws = {} } = {},
  options: Partial<ImportOptions> = {},
) {
  const { converted, notConverted } = convert([store(aws), externalSecret(spec, metadata)], options);
  const [result] = converted;
  if (result === undefined) {
    return {
      objections: notConverted.flatMap(({ objections }) =>
        objections.map(({ path, code }) => `${path} ${code}`),
      ),
    };
  }
  const { targets: _, ...rules } = result.entry;
  return { rules, notes: result.notes };
}
