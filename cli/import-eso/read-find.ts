import { quoteName } from "../../shared/bindings/quote-name.ts";
import { isDataKey } from "../../shared/render/is-data-key.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import type { FieldReader } from "./fields.ts";
import type { FindFilter, FindQuery, ListedSecret } from "./find-query.ts";
import { compileGoRegexp } from "./go-regexp.ts";
import type { Conversion, Extraction } from "./parts.ts";
import { readStoreOf } from "./read-store.ts";
import { checkNullBytes, readDecoding } from "./remote-ref.ts";
import type { OpenedStore } from "./stores.ts";

/**
 * Reads an entry of `dataFrom` with `find`: the secrets that AWS lists today, each with its whole value under the key that
 * the operator makes of its name. Empty if it has an objection.
 */
export function readFind(context: Conversion, entry: FieldReader): Extraction[] {
  const { objections, stores, found } = context;
  const before = objections.all.length;
  const find = entry.map("find");
  const refuse = (reason: string, name?: string): Extraction[] => {
    find.refuse("FIND", reason, name);
    return [];
  };
  const wanted = readWanted(find);
  const decode = readDecoding(find);
  checkNullBytes(find);
  const renameAll = readRenames(entry, find);
  find.end();
  if (entry.has("extract")) entry.refuse("FIELD_MALFORMED", "find and extract exclude each other", "extract");
  entry.end();
  const store = readStoreOf(context, entry);
  if (store === undefined || wanted === undefined || objections.all.length > before) return [];
  const opened = stores.open(store);
  if (opened.kind === "opened" && opened.prefix !== "" && !wanted.isBatch) {
    return refuse(
      `the store has the prefix ${opened.prefix}, and in a search by name the operator puts it before each found name once more, so it reads other secrets. List the secrets in data`,
    );
  }
  if (found === undefined) {
    return refuse(
      "its result changes with the account, and a binding names its sources. With --expand-find the command asks AWS, and binds the secrets that find matches today",
    );
  }
  if (opened.kind === "refused") {
    objections.add(store.path, opened.code, opened.reason);
    return [];
  }
  const listed = found(queryOf(opened, wanted.filters));
  if (listed === undefined) return refuse("AWS was not asked for it"); // while the queries are collected
  if (typeof listed === "string") return refuse(listed);
  const secrets = listed
    .filter(({ name, hasValue }) => wanted.matches(name) && (hasValue || !wanted.isBatch))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const problem = problemOf(secrets);
  if (problem !== undefined) return refuse(problem);
  const keys = renameAll(secrets.map(({ name }) => name));
  if (typeof keys === "string") return refuse(keys);
  const extractions = bind(context, find, opened, secrets, { keys, decode });
  if (extractions.length > 0) context.note("FIND_FIXED");
  return extractions;
}

type Wanted = {
  readonly filters: readonly FindFilter[];
  readonly matches: (name: string) => boolean;
  /** The operator reads with BatchGetSecretValue: without the prefix, and it skips what it cannot read. */
  readonly isBatch: boolean;
};

function readWanted(find: FieldReader): Wanted | undefined {
  const name = find.has("name") ? find.map("name") : undefined;
  const source = name?.string("regexp") ?? "";
  name?.end();
  const path = find.string("path");
  const tags = Object.entries(find.stringMap("tags"));
  if (name === undefined && tags.length === 0) {
    find.refuse("FIND", "it has neither name nor tags, and the operator refuses it");
    return undefined;
  }
  const filters: FindFilter[] = [
    // Two independent filters: another tag may have the value.
    ...tags.flatMap(([key, value]): FindFilter[] => [
      { Key: "tag-key", Values: [key] },
      { Key: "tag-value", Values: [value] },
    ]),
    ...(path === undefined ? [] : [{ Key: "name", Values: [path] } as const]),
  ];
  if (
    filters.length > FILTERS_MAX ||
    filters.some(({ Values }) => !Values.every((text) => FILTERED.test(text)))
  ) {
    find.refuse(
      "FIND",
      "AWS does not take these tags or this path as filters, so the operator finds nothing",
    );
    return undefined;
  }
  const regexp = name === undefined ? undefined : compileGoRegexp(source);
  if (name !== undefined && regexp === undefined) {
    name.refuse("FIND", "it is not a regular expression of Go, and the operator refuses it", "regexp");
    return undefined;
  }
  return {
    filters,
    matches: (text) => regexp === undefined || regexp.matches(text),
    isBatch: name === undefined || path !== undefined,
  };
}

/** Of ListSecrets and BatchGetSecretValue. */
const FILTERS_MAX = 10;
const FILTERED = /^!?[A-Za-z0-9 :_@/+=.\-!]{0,512}$/;

/** The keys of the names in their order, or a reason against them. */
type RenameAll = (names: readonly string[]) => readonly string[] | string;

/** The rewrites, or else the conversion of illegal characters. */
function readRenames(entry: FieldReader, find: FieldReader): RenameAll {
  const strategy = find.string("conversionStrategy") ?? "Default";
  if (!["Default", "Unicode"].includes(strategy)) {
    find.refuse("FIELD_MALFORMED", "it must be Default or Unicode", "conversionStrategy");
  }
  const rewrites = entry.list("rewrite").map(readRewrite);
  const steps = rewrites.length > 0 ? rewrites : [(name: string) => converted(name, strategy)];
  return (names) => {
    let keys = names;
    for (const step of steps) {
      keys = keys.map(step);
      const seen = new Set<string>();
      const twice = keys.find((key) => seen.size === seen.add(key).size);
      if (twice !== undefined)
        return `two of the secrets would have the key ${quoteName(twice)}. List them in data`;
    }
    return keys;
  };
}

function readRewrite(rewrite: FieldReader): (key: string) => string {
  for (const name of ["transform", "merge"]) {
    if (rewrite.has(name))
      rewrite.refuse("REWRITE", `after find only regexp is converted, not ${name}. Use a regexp`, name);
  }
  const regexp = rewrite.has("regexp") ? rewrite.map("regexp") : undefined;
  const source = regexp?.string("source") ?? "";
  const target = regexp?.string("target") ?? "";
  regexp?.end();
  rewrite.end();
  if (regexp === undefined) return (key) => key;
  const compiled = compileGoRegexp(source);
  if (compiled !== undefined) return (key) => compiled.replaceAll(key, target);
  rewrite.refuse("REWRITE", "it is not a regular expression of Go, and the operator refuses it", "regexp");
  return (key) => key;
}

/** A name in Secrets Manager is ASCII. */
const converted = (name: string, strategy: string): string =>
  name.replace(/[^A-Za-z0-9_.-]/g, (sign) =>
    strategy === "Unicode" ? `_U${sign.charCodeAt(0).toString(16).padStart(4, "0")}_` : "_",
  );

const queryOf = ({ region, accountId }: OpenedStore, filters: Wanted["filters"]): FindQuery => ({
  ...(region !== undefined && { region }),
  ...(accountId !== undefined && { accountId }),
  filters,
});

function problemOf(secrets: readonly ListedSecret[]): string | undefined {
  if (secrets.length === 0) {
    return "it matches no secret today, so the operator writes nothing. Check the Region and the account, or remove it";
  }
  if (secrets.length > SOURCES_MAX) {
    return `it matches ${secrets.length} secrets, and a binding has at most ${SOURCES_MAX} sources. Divide it into several ExternalSecrets`;
  }
  if (
    secrets.some(({ name }) => parseSecretReference(name, "any") === undefined || name.startsWith("arn:"))
  ) {
    return "AWS lists a secret whose name is not valid";
  }
  const empty = secrets.find(({ hasValue }) => !hasValue);
  return empty === undefined
    ? undefined
    : `${empty.name} has no current value, and the operator writes nothing until it has one. Give it a value, or delete it`;
}

/** As in the schema of bindings.yaml. */
const SOURCES_MAX = 50;

function bind(
  context: Conversion,
  find: FieldReader,
  store: OpenedStore,
  secrets: readonly ListedSecret[],
  { keys, decode }: { readonly keys: readonly string[]; readonly decode: ReturnType<typeof readDecoding> },
): Extraction[] {
  if (decode === "auto") context.note("AUTO_DECODES");
  return secrets.flatMap(({ name, arn }, index): Extraction[] => {
    const key = keys[index] ?? "";
    if (key === "") return []; // the operator drops it
    if (!isDataKey(key)) {
      find.refuse(
        "FIND",
        `the secret ${name} would have the key ${quoteName(key)}, which Kubernetes refuses. Correct rewrite`,
      );
      return [];
    }
    const source = store.sourceOf(name, arn);
    if (source.kind === "refused") {
      find.refuse(source.code, source.reason);
      return [];
    }
    context.note(...source.notes);
    return [{ at: { source: source.id }, rules: { value: key, ...(decode && { decode }) } }];
  });
}
