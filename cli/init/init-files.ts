import { stringify } from "yaml";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { awsNeeds } from "../iam/aws-needs.ts";
import { printParameters, stackParameters } from "../iam/stack-parameters.ts";

/** EKS clusters by name, and the first bindings. */
export type InitAnswers = {
  readonly location: AwsLocation;
  readonly clusters: readonly string[];
  readonly binds: readonly Bind[];
};

/** The Secret is created in the first cluster. */
export type Bind = { readonly source: string; readonly namespace: string; readonly name: string };

export type InitFiles = { readonly bindings: string; readonly samconfig: string };

/** Throws BindingsError for an invalid name. Pure. */
export function initFiles({ location, clusters, binds }: InitAnswers): InitFiles {
  const [first = ""] = clusters;
  const file = {
    version: 1,
    clusters: Object.fromEntries(clusters.map((name) => [name, { name, region: location.region }])),
    defaults: { cluster: first },
    bindings: binds.map(({ source, namespace, name }) => ({ source, targets: [{ namespace, name }] })),
  };
  const bindings = `${BINDINGS_HEAD}${stringify(file, { lineWidth: 0 })}`;
  const compiled = loadBindings(bindings, "bindings.yaml");
  const parameters = { ...stackParameters(awsNeeds(compiled, { location })), AccessEntryClusterName: first };
  const samconfig = SAMCONFIG.replace("REGION", location.region).replace("PARAMETERS", () =>
    printParameters(parameters),
  );
  return { bindings, samconfig };
}

/** `prod/db=shop/db` */
export function parseBind(text: string): Bind | undefined {
  const [, source, namespace, name] = /^([^\s]+)=([^/=\s]+)\/([^/=\s]+)$/.exec(text) ?? [];
  return source && namespace && name ? { source, namespace, name } : undefined;
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
# All settings: docs/configuration.md, or secret-relay schema. Check this file: secret-relay validate
`;

const SAMCONFIG = `version = 0.1

[default.validate.parameters]
lint = true

[default.deploy.parameters]
stack_name = "secret-relay"
region = "REGION"
resolve_s3 = true
capabilities = "CAPABILITY_IAM"
confirm_changeset = true
# The permissions that the bindings need. Update them after each change: secret-relay iam --parameters
PARAMETERS
`;
