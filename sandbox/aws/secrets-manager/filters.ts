import { validation } from "../aws-error.ts";
import { type Input, list } from "../call.ts";
import type { Secret, SecretState } from "./secret.ts";

export type Filter = (secret: Secret, state: SecretState) => boolean;

/** The Filters of ListSecrets and BatchGetSecretValue: all must match, each by any of its values. */
export function parseFilters(input: Input): readonly Filter[] {
  const filters = list<{ Key?: string; Values?: string[] }>(input, "Filters") ?? [];
  if (filters.length > FILTERS_MAX) throw outside("filters", `at most ${FILTERS_MAX} members`);
  return filters.map(({ Key, Values }) => {
    const attribute = Key === undefined ? undefined : attributes.get(Key);
    if (attribute === undefined)
      throw outside("filters.key", `one of [${[...attributes.keys()].join(", ")}]`);
    if (!Array.isArray(Values) || Values.length < 1 || Values.length > VALUES_MAX) {
      throw outside("filters.values", `1 to ${VALUES_MAX} members`);
    }
    return toFilter(attribute, Values);
  });
}

type Attribute = {
  read(secret: Secret, state: SecretState): readonly string[];
  matches(candidate: string, wanted: string): boolean;
};

const FILTERS_MAX = 10;
const VALUES_MAX = 10;

const startsWith = (candidate: string, wanted: string): boolean => candidate.startsWith(wanted);
const startsWithAnyCase = (candidate: string, wanted: string): boolean =>
  candidate.toLowerCase().startsWith(wanted.toLowerCase());

const attributes = new Map<string, Attribute>([
  ["name", { read: ({ name }) => [name], matches: startsWith }],
  ["description", { read: (_, { description }) => present(description), matches: startsWithAnyCase }],
  ["tag-key", { read: (_, { tags }) => tags.map(({ Key }) => Key), matches: startsWith }],
  ["tag-value", { read: (_, { tags }) => tags.map(({ Value }) => Value), matches: startsWith }],
  ["owning-service", { read: ({ owningService }) => present(owningService), matches: startsWith }],
  ["primary-region", { read: () => [], matches: startsWith }], // nothing is replicated here
  ["all", { read: everything, matches: holdsEveryWord }],
]);

function everything(secret: Secret, state: SecretState): readonly string[] {
  const tags = state.tags.flatMap(({ Key, Value }) => [Key, Value]);
  return [[secret.name, state.description ?? "", secret.owningService ?? "", ...tags].join("\n")];
}

function holdsEveryWord(candidate: string, wanted: string): boolean {
  const found = words(candidate);
  return words(wanted).every((word) => found.some((other) => other.startsWith(word)));
}

function words(sentence: string): string[] {
  return sentence
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
}

/** A value with a leading exclamation mark must not match. */
function toFilter(attribute: Attribute, values: readonly string[]): Filter {
  const unwanted = values.filter((value) => value.startsWith("!")).map((value) => value.slice(1));
  const wanted = values.filter((value) => !value.startsWith("!"));
  return (secret, state) => {
    const candidates = attribute.read(secret, state);
    const holds = (value: string) => candidates.some((candidate) => attribute.matches(candidate, value));
    return !unwanted.some(holds) && (wanted.length === 0 || wanted.some(holds));
  };
}

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

function outside(member: string, rule: string): Error {
  return validation(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must satisfy: ${rule}`,
  );
}
