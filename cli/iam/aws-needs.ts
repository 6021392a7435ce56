import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { partitionOfRegion } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation, SecretReference } from "../../shared/source/secret-id.ts";

/** The AWS permissions of the functions, in the terms of the template parameters. */
export type AwsNeeds = {
  readonly location: AwsLocation;
  /** Full ARNs; `-??????` stands for six unknown random characters. */
  readonly secretArns: readonly string[];
  readonly secretNamePrefix?: string;
  readonly kmsKeyArns: readonly string[];
  /** Clusters that the functions describe with their own roles. */
  readonly clusterArns: readonly string[];
  readonly clusterRoleArns: readonly string[];
  /** ExternalSecrets find sources by tag, so a rotation reads the tags of the changed source. */
  readonly findsByTag: boolean;
};

export type NeedsOptions = {
  /** Account and Region of the stack. */
  readonly location: AwsLocation;
  /** Covers all sources of the stack's account and Region whose names begin with it. */
  readonly prefix?: string | undefined;
  readonly kmsKeyArns?: readonly string[];
  readonly findsByTag?: boolean;
};

export function awsNeeds({ clusters, bindings }: CompiledBindings, options: NeedsOptions): AwsNeeds {
  const { location, prefix, kmsKeyArns = [], findsByTag = false } = options;
  const sources = bindings.flatMap((binding) => binding.sources);
  const byArn = sources.filter((source) => prefix === undefined || !isBelow(source, prefix, location));
  const all = Object.values(clusters);
  return {
    location,
    secretArns: unique(byArn.map((source) => arnOf(source, location))),
    ...(prefix !== undefined && { secretNamePrefix: prefix }),
    kmsKeyArns: unique(kmsKeyArns),
    clusterArns: unique(
      all
        .filter(({ endpoint, roleArn }) => endpoint === undefined && roleArn === undefined)
        .map(({ name, region }) => {
          return `arn:${partitionOfRegion(region)}:eks:${region}:${location.accountId}:cluster/${name}`;
        }),
    ),
    clusterRoleArns: unique(all.flatMap(({ roleArn }) => roleArn ?? [])),
    findsByTag,
  };
}

/**
 * The prefixes, up to a slash, of source names in this account and Region, each with the number of sources below it. The
 * narrowest come first.
 */
export function namePrefixes(
  { bindings }: CompiledBindings,
  location: AwsLocation,
): readonly { readonly prefix: string; readonly sources: number }[] {
  const sources = bindings.flatMap((binding) => binding.sources);
  const names = unique(sources.flatMap((source) => (isOf(source, location) ? [source.names[0]] : [])));
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
      const prefix = name.slice(0, end + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([prefix, sources]) => ({ prefix, sources }))
    .sort((one, other) => other.prefix.length - one.prefix.length);
}

function arnOf({ id, location: own, suffix }: SecretReference, location: AwsLocation): string {
  if (suffix !== undefined) return id;
  const { partition, region, accountId } = location;
  const arn = own === undefined ? `arn:${partition}:secretsmanager:${region}:${accountId}:secret:${id}` : id;
  return `${arn}-??????`;
}

const isBelow = (source: SecretReference, prefix: string, location: AwsLocation): boolean =>
  isOf(source, location) && source.names[0].startsWith(prefix);

function isOf({ location: own }: SecretReference, { region, accountId }: AwsLocation): boolean {
  return own === undefined || (own.region === region && own.accountId === accountId);
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
