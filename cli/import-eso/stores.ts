import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { collectObjections, FieldReader, isFields, LEAVE_IT, type ObjectionCode } from "./fields.ts";
import type { Manifest } from "./manifest.ts";
import type { NoteCode } from "./notes.ts";

/** The Region and account of the relay, if known. */
export type SourceLocation = {
  readonly region?: string | undefined;
  readonly accountId?: string | undefined;
  /** The caller has named the account of the functions. */
  readonly isAccountStated?: boolean;
};

/** The source of a remoteRef, or the reason why it is unknown. */
export type FoundSource =
  | { readonly kind: "found"; readonly id: string; readonly notes: readonly NoteCode[] }
  | Refused;

type Refused = { readonly kind: "refused"; readonly code: ObjectionCode; readonly reason: string };

export type StoreReference = { readonly kind: string; readonly name: string; readonly namespace: string };

export type Stores = {
  find(store: StoreReference, key: string): FoundSource;
  open(store: StoreReference): OpenedStore | Refused;
};

/** Where a store of AWS Secrets Manager reads. */
export type OpenedStore = {
  readonly kind: "opened";
  readonly region?: string;
  readonly accountId?: string;
  readonly prefix: string;
  /** The source with this name, whose ARN AWS has listed. The prefix of the store is not added. */
  sourceOf(name: string, arn: string): FoundSource;
};

/**
 * The stores among the manifests. Without its store, a key is ambiguous, because provider, Region and prefix are unknown.
 * With `assume`, a missing store is AWS Secrets Manager in the account and Region of the relay.
 */
export function storesOf(
  manifests: readonly Manifest[],
  { location, assume }: { readonly location: SourceLocation; readonly assume: boolean },
): Stores {
  const stores = Map.groupBy(
    manifests.filter(isStore).map((manifest) => ({ manifest, store: readStore(manifest) })),
    ({ manifest }) => keyOf(manifest.kind, manifest.name, manifest.namespace),
  );
  const aws = [...stores.values()].flat().flatMap(({ store }) => ("region" in store ? [store] : []));
  const regions = new Set(aws.map(({ region }) => region));
  const [onlyRegion] = regions.size === 1 ? regions : [];
  const region = location.region ?? onlyRegion;
  const here: SourceLocation = { ...location, region };
  const storeOf = ({ kind, name, namespace }: StoreReference): AwsStore | Refused => {
    const found =
      stores.get(keyOf(kind, name, namespace)) ??
      // A manifest without a namespace is applied to the namespace of its users.
      stores.get(keyOf(kind, name, undefined));
    const [first, second] = found ?? [];
    if (first === undefined) {
      if (assume) return { region: here.region ?? "", notes: ["STORE_ASSUMED"] };
      const where = kind === "ClusterSecretStore" ? name : `${namespace}/${name}`;
      return refused(
        "STORE_UNKNOWN",
        `${kind} ${where} is missing, so provider, Region and prefix are unknown. Add its manifest, or use --assume-stores`,
      );
    }
    if (second !== undefined) {
      return refused(
        "STORE_AMBIGUOUS",
        `${kind} ${name} is in both ${first.manifest.file} and ${second.manifest.file}`,
      );
    }
    return first.store;
  };
  return {
    find: (reference, key) => {
      const store = storeOf(reference);
      return "region" in store ? sourceIn(store, (store.prefix ?? "") + key, here) : store;
    },
    open: (reference) => {
      const store = storeOf(reference);
      if (!("region" in store)) return store;
      const { prefix = "", accountId = here.accountId } = store;
      const regionOfStore = store.region || here.region;
      return {
        kind: "opened",
        prefix,
        ...(regionOfStore !== undefined && { region: regionOfStore }),
        ...(accountId !== undefined && { accountId }),
        sourceOf: (name, arn) => {
          const found = sourceIn(store, name, here);
          if (found.kind === "found" || found.code !== "SOURCE_NAME") return found;
          const isArn = parseSecretReference(arn, "full-arn") !== undefined;
          return isArn ? { kind: "found", id: arn, notes: store.notes } : found;
        },
      };
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
  const objections = collectObjections();
  const spec = new FieldReader(manifest.object.spec, "spec", objections);
  const where = `${manifest.kind} ${manifest.name}`;
  const provider = spec.raw("provider");
  const names = isFields(provider) ? Object.keys(provider) : [];
  if (!isFields(provider) || names.length !== 1 || names[0] !== "aws") {
    return refused(
      "STORE_PROVIDER",
      `${where} reads from ${names.join(", ") || "no provider"}, not from AWS. ${COPY_IT}`,
    );
  }
  // These do not change the value.
  for (const name of ["retrySettings", "refreshInterval", "controller"]) spec.raw(name);
  const hasConditions = spec.has("conditions");
  spec.end();

  const aws = new FieldReader(provider.aws, "spec.provider.aws", objections);
  const service = aws.string("service");
  const region = aws.string("region") ?? "";
  const role = aws.string("role");
  const prefix = aws.string("prefix");
  const hasTagsPolicy = (aws.string("sessionTagsPolicy") ?? "None") !== "None";
  const credentials = CREDENTIALS.filter((name) => aws.has(name));
  const hasOwnRole = credentials.length > 0 || role !== undefined || hasTagsPolicy;
  aws.raw("secretsManager"); // for deletions by PushSecret
  aws.end();
  if (service !== "SecretsManager") {
    return refused(
      "STORE_PROVIDER",
      `${where} reads from ${service ?? "no AWS service"}, not from SecretsManager. ${COPY_IT}`,
    );
  }
  const [problem] = objections.all;
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

const COPY_IT = `Copy the value into Secrets Manager, or l${LEAVE_IT.slice(1)}`;

/** With which credentials the operator reads. They change its permissions, but no value. */
const CREDENTIALS = [
  "auth",
  "externalID",
  "sessionTags",
  "customSessionTags",
  "transitiveTagKeys",
  "additionalRoles",
];

function sourceIn(
  { region, accountId, notes }: AwsStore,
  name: string,
  location: SourceLocation,
): FoundSource {
  const read = parseSecretReference(name, "any");
  if (read === undefined) {
    return refused("SOURCE_NAME", `${JSON.stringify(name)} is not a valid name or ARN of a secret`);
  }
  if (read.location !== undefined) return { kind: "found", id: name, notes };
  const account = accountId ?? location.accountId;
  const isHere =
    region === (location.region ?? region) && (accountId === undefined || accountId === location.accountId);
  if (isHere) {
    if (location.region === undefined && region !== "") {
      return refused(
        "STORE_ACCOUNT",
        "the stores use several Regions. Give the Region of the functions with --region",
      );
    }
    return { kind: "found", id: name, notes: location.isAccountStated ? notes : [...notes, "SAME_ACCOUNT"] };
  }
  if (account === undefined) {
    return refused(
      "STORE_ACCOUNT",
      `the store reads in ${region}, the functions run in ${location.region}, and the account is unknown. Use --account`,
    );
  }
  const id = `arn:${partitionOf(region)}:secretsmanager:${region}:${account}:secret:${name}`;
  const arn = parseSecretReference(id, "any");
  if (arn === undefined || arn.names.length > 1) {
    return refused(
      "SOURCE_NAME",
      `the source is in another account or Region and needs an ARN, but the end of ${name} looks like the suffix of a full ARN. Use its full ARN as the key`,
    );
  }
  return { kind: "found", id, notes };
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

const refused = (code: ObjectionCode, reason: string): Refused => ({ kind: "refused", code, reason });
