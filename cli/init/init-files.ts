import { stringify } from "yaml";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { DEFAULT_RELAY_NAME } from "../../shared/bindings/relay-identity.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { awsNeeds, namePrefixes } from "../iam/aws-needs.ts";
import { checkExcess } from "../iam/check-excess.ts";
import { CANARY_SECRET, CANARY_SOURCE } from "../verify/canary.ts";
import { printSamConfig } from "./samconfig.ts";

/** EKS clusters by name, and the first bindings. */
export type InitAnswers = {
  readonly location: AwsLocation;
  readonly clusters: readonly string[];
  readonly binds: readonly Bind[];
  /** Allows all sources whose names begin with it, in place of the bound ones. */
  readonly prefix?: string | undefined;
};

/** The Secret is created in the first cluster. */
export type Bind = { readonly source: string; readonly namespace: string; readonly name: string };

export type InitFiles = { readonly bindings: string; readonly samconfig: string };

/** Throws BindingsError for an invalid name, and UsageError for more sources than a stack takes. Pure. */
export function initFiles({ location, clusters, binds, prefix }: InitAnswers): InitFiles {
  const [first = ""] = clusters;
  const file = {
    version: 1,
    relay: DEFAULT_RELAY_NAME,
    clusters: Object.fromEntries(clusters.map((name) => [name, { name, region: location.region }])),
    defaults: { cluster: first },
    bindings: binds.map(({ source, namespace, name }) => ({ source, targets: [{ namespace, name }] })),
  };
  const bindings = `${BINDINGS_HEAD}${stringify(file, { lineWidth: 0 })}`;
  return { bindings, samconfig: samConfigFor(loadBindings(bindings, "bindings.yaml"), location, prefix) };
}

/** samconfig.toml for bindings. Throws UsageError for more than one stack takes. Pure. */
export function samConfigFor(
  compiled: CompiledBindings,
  location: AwsLocation,
  prefix: string | undefined,
): string {
  const options = { location, prefix };
  checkExcess(compiled, options);
  const needs = awsNeeds(compiled, options);
  const own = Object.values(compiled.clusters).find(
    ({ region, roleArn }) => region === location.region && roleArn === undefined,
  );
  const covering = namePrefixes(compiled, location).find(
    ({ sources }) => sources === needs.secretArns.length,
  );
  return printSamConfig({
    needs,
    relay: compiled.relay,
    accessEntryCluster: own?.name,
    sharedPrefix: covering?.prefix,
  });
}

/** `prod/db=shop/db` */
export function parseBind(text: string): Bind | undefined {
  const [, source, namespace, name] = /^([^\s]+)=([^/=\s]+)\/([^/=\s]+)$/.exec(text) ?? [];
  return source && namespace && name ? { source, namespace, name } : undefined;
}

/** The canary of `verify`, in the namespace of the first Secret. A prefix must cover its source as well. */
export function canaryFor(binds: readonly Bind[], prefix = ""): Bind {
  const [{ namespace } = { namespace: "default" }] = binds;
  return { source: `${prefix}${CANARY_SOURCE}`, namespace, name: CANARY_SECRET };
}

/** The last part of the source name, with only the characters that Kubernetes allows. */
export function suggestSecretName(source: string): string {
  const last = source.split("/").at(-1) ?? "";
  const name = last
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return name || "secret";
}

const BINDINGS_HEAD = `# The Kubernetes Secrets of each secret in AWS Secrets Manager.
# All settings: docs/reference.md, or secret-relay schema. Check this file: secret-relay validate
`;
