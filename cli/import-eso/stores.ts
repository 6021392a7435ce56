import { parseSecretReference } from "../../shared/secret-id/parse-secret-reference.ts";
import { FieldReader, isFields, type ObjectionCode, objections } from "./fields.ts";
import type { Manifest } from "./manifest.ts";
import type { NoteCode } from "./notes.ts";

/** Where the relay runs, as far as it was said. */
export type Home = { readonly region?: string; readonly accountId?: string };

/** The source that a remoteRef means, and what there is to know about it; or why it can't be said. */
export type FoundSource =
  | { readonly kind: "found"; readonly id: string; readonly notes: readonly NoteCode[] }
  | Refused;

type Refused = { readonly kind: "refused"; readonly code: ObjectionCode; readonly reason: string };

export type StoreReference = { readonly kind: string; readonly name: string; readonly namespace: string };

export type Stores = {
  find(store: StoreReference, key: string): FoundSource;
};

/**
 * The stores among the manifests. A store that is not there is unknown: its provider, its Region and its prefix decide
 * what a key means. With `assume` it is taken for AWS Secrets Manager where the relay runs.
 */
export function storesOf(
  manifests: readonly Manifest[],
  { home, assume }: { readonly home: Home; readonly assume: boolean },
): Stores {
  const stores = Map.groupBy(
    manifests.filter(isStore).map((manifest) => ({ manifest, store: readStore(manifest) })),
    ({ manifest }) => keyOf(manifest.kind, manifest.name, manifest.namespace),
  );
  const aws = [...stores.values()].flat().flatMap(({ store }) => ("region" in store ? [store] : []));
  const regions = new Set(aws.map(({ region }) => region));
  const [onlyRegion] = regions.size === 1 ? regions : [];
  const region = home.region ?? onlyRegion;
  const here: Home = { ...home, ...(region !== undefined && { region }) };
  return {
    find({ kind, name, namespace }, key) {
      const found =
        stores.get(keyOf(kind, name, namespace)) ??
        // A manifest without a namespace goes wherever it is applied: to that of whoever uses it.
        stores.get(keyOf(kind, name, undefined));
      const [first, second] = found ?? [];
      if (first === undefined) {
        if (assume) return sourceIn({ region: here.region ?? "", notes: ["STORE_ASSUMED"] }, key, here);
        const where = kind === "ClusterSecretStore" ? name : `${namespace}/${name}`;
        return refused(
          "STORE_UNKNOWN",
          `${kind} ${where} is not among the manifests, and its provider, Region and prefix decide what is read. Add its manifest, or say --assume-stores`,
        );
      }
      if (second !== undefined) {
        return refused(
          "STORE_AMBIGUOUS",
          `${kind} ${name} stands in ${first.manifest.file} and in ${second.manifest.file}`,
        );
      }
      return "region" in first.store ? sourceIn(first.store, key, here) : first.store;
    },
  };
}

const isStore = ({ kind, apiVersion }: Manifest): boolean =>
  (kind === "SecretStore" || kind === "ClusterSecretStore") && apiVersion.startsWith("external-secrets.io/");

const keyOf = (kind: string, name: string, namespace: string | undefined): string =>
  kind === "ClusterSecretStore" ? `${kind} ${name}` : `${kind} ${namespace ?? "*"}/${name}`;

/** A store of AWS Secrets Manager. */
type AwsStore = {
  readonly region: string;
  readonly accountId?: string;
  readonly prefix?: string;
  readonly notes: readonly NoteCode[];
};

function readStore(manifest: Manifest): AwsStore | Refused {
  const wrong = objections();
  const spec = new FieldReader(manifest.object.spec, "spec", wrong);
  const where = `${manifest.kind} ${manifest.name}`;
  const provider = spec.raw("provider");
  const names = isFields(provider) ? Object.keys(provider) : [];
  if (!isFields(provider) || names.length !== 1 || names[0] !== "aws") {
    return refused(
      "STORE_PROVIDER",
      `${where} reads from ${names.join(", ") || "nothing"}, and not from AWS`,
    );
  }
  // How often and with which controller it is read does not change what is read.
  for (const name of ["retrySettings", "refreshInterval", "controller"]) spec.raw(name);
  const hasConditions = spec.has("conditions");
  spec.end();

  const aws = new FieldReader(provider.aws, "spec.provider.aws", wrong);
  const service = aws.text("service");
  const region = aws.text("region") ?? "";
  const role = aws.text("role");
  const prefix = aws.text("prefix");
  const credentials = ["auth", "externalID", "sessionTags", "transitiveTagKeys", "additionalRoles"];
  const hasOwnRole = credentials.map((name) => aws.has(name)).includes(true) || role !== undefined;
  aws.raw("secretsManager"); // for what PushSecret deletes
  aws.end();
  if (service !== "SecretsManager") {
    return refused(
      "STORE_PROVIDER",
      `${where} reads from ${service ?? "no service"} of AWS, and not from SecretsManager`,
    );
  }
  const [problem] = wrong.all;
  if (problem !== undefined) {
    return refused("STORE_PROVIDER", `${where}: ${problem.path}: ${problem.reason}`);
  }
  const accountId = /^arn:aws[a-z-]*:iam::([0-9]{12}):role\//.exec(role ?? "")?.[1];
  return {
    region,
    ...(prefix !== undefined && { prefix }),
    ...(accountId !== undefined && { accountId }),
    notes: [
      ...(hasOwnRole ? (["OWN_ROLE"] as const) : []),
      ...(hasConditions ? (["STORE_CONDITIONS"] as const) : []),
    ],
  };
}

function sourceIn({ region, accountId, prefix = "", notes }: AwsStore, key: string, home: Home): FoundSource {
  const name = prefix + key;
  const read = parseSecretReference(name, "any");
  if (read === undefined) {
    return refused("SOURCE_NAME", `${JSON.stringify(name)} is no name or ARN of a secret in Secrets Manager`);
  }
  if (read.home !== undefined) return { kind: "found", id: name, notes };
  const account = accountId ?? home.accountId;
  const isHere =
    region === (home.region ?? region) && (accountId === undefined || accountId === home.accountId);
  if (isHere) {
    if (home.region === undefined && region !== "") {
      return refused(
        "STORE_ACCOUNT",
        "the stores are of several Regions. Say with --region where the functions run",
      );
    }
    return { kind: "found", id: name, notes: [...notes, "SAME_ACCOUNT"] };
  }
  if (account === undefined) {
    return refused(
      "STORE_ACCOUNT",
      `the store reads in ${region}, the functions run in ${home.region}, and the account is unknown. Say it with --account`,
    );
  }
  const id = `arn:${partitionOf(region)}:secretsmanager:${region}:${account}:secret:${name}`;
  const arn = parseSecretReference(id, "any");
  if (arn === undefined || arn.names.length > 1) {
    return refused(
      "SOURCE_NAME",
      `the source is in another account or Region, so it needs an ARN, and a name that ends like ${name} is taken for a full one. Write its full ARN as the key`,
    );
  }
  return { kind: "found", id, notes };
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

const refused = (code: ObjectionCode, reason: string): Refused => ({ kind: "refused", code, reason });
