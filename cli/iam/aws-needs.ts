import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { partitionOfRegion } from "../../shared/secret-id/parse-secret-home.ts";
import type { SecretHome, SecretReference } from "../../shared/secret-id/secret-id.ts";

/** What the functions must be allowed to do in AWS, in the terms of the template's parameters. */
export type AwsNeeds = {
  readonly home: SecretHome;
  /** Full ARNs; `-??????` stands for the six random characters where they are not known. */
  readonly secretArns: readonly string[];
  readonly secretNamePrefix?: string;
  readonly kmsKeyArns: readonly string[];
  /** Clusters that the functions look up with their own roles. */
  readonly clusterArns: readonly string[];
  readonly clusterRoleArns: readonly string[];
  /** ExternalSecrets find sources by their tags, so a rotation looks at the tags of the one that changed. */
  readonly findsByTag: boolean;
};

export type NeedsQuestion = {
  /** Account and Region of the stack. */
  readonly home: SecretHome;
  /** Sources of the home whose names start so are covered by the prefix, not by their ARNs. */
  readonly prefix?: string;
  readonly kmsKeyArns?: readonly string[];
  readonly findsByTag?: boolean;
};

export function awsNeeds({ clusters, bindings }: CompiledBindings, question: NeedsQuestion): AwsNeeds {
  const { home, prefix, kmsKeyArns = [], findsByTag = false } = question;
  const sources = bindings.flatMap((binding) => binding.sources);
  const byArn = sources.filter((source) => prefix === undefined || !isBelow(source, prefix, home));
  const reached = Object.values(clusters);
  return {
    home,
    secretArns: unique(byArn.map((source) => arnOf(source, home))),
    ...(prefix !== undefined && { secretNamePrefix: prefix }),
    kmsKeyArns: unique(kmsKeyArns),
    clusterArns: unique(
      reached
        .filter(({ endpoint, roleArn }) => endpoint === undefined && roleArn === undefined)
        .map(({ name, region }) => {
          return `arn:${partitionOfRegion(region)}:eks:${region}:${home.accountId}:cluster/${name}`;
        }),
    ),
    clusterRoleArns: unique(reached.flatMap(({ roleArn }) => roleArn ?? [])),
    findsByTag,
  };
}

/** The longest beginning, up to a slash, that all names of the home share; undefined where there is none. */
export function sharedPrefix({ bindings }: CompiledBindings, home: SecretHome): string | undefined {
  const sources = bindings.flatMap((binding) => binding.sources);
  const names = sources.flatMap((source) => (isOf(source, home) ? [source.names[0]] : []));
  const [first = "", ...others] = names;
  let end = first.lastIndexOf("/") + 1;
  while (end > 0 && !others.every((name) => name.startsWith(first.slice(0, end)))) {
    end = first.lastIndexOf("/", end - 2) + 1;
  }
  return end > 0 ? first.slice(0, end) : undefined;
}

function arnOf({ id, home: own, suffix }: SecretReference, home: SecretHome): string {
  if (suffix !== undefined) return id;
  const { partition, region, accountId } = home;
  const arn = own === undefined ? `arn:${partition}:secretsmanager:${region}:${accountId}:secret:${id}` : id;
  return `${arn}-??????`;
}

const isBelow = (source: SecretReference, prefix: string, home: SecretHome): boolean =>
  isOf(source, home) && source.names[0].startsWith(prefix);

function isOf({ home: own }: SecretReference, { region, accountId }: SecretHome): boolean {
  return own === undefined || (own.region === region && own.accountId === accountId);
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
