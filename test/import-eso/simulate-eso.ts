// A model of External Secrets Operator for AWS Secrets Manager, which shares no code with the converter. Its rules are
// those of 2.9.0, read in its source and run.

import { parse } from "yaml";

type Tree = Readonly<Record<string, unknown>>;

export type SimulatedSecret = {
  readonly data: Readonly<Record<string, string>>;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly isImmutable: boolean;
};

type ExternalSecret = {
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has any shape
  readonly spec: any;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

/** `read` gives the SecretString of a `remoteRef` or `extract`, with the prefix of its store; `listed` is what AWS lists. */
export function simulateEso(
  { spec, labels = {}, annotations = {} }: ExternalSecret,
  read: (reference: { readonly key: string; readonly version?: string }, entry: Tree) => string,
  listed: readonly string[] = [],
): SimulatedSecret {
  const made: Record<string, string> = {};
  for (const entry of spec.dataFrom ?? []) {
    const { extract, find, rewrite: rewrites = [] } = entry;
    const found =
      find === undefined ? extracted(extract, read(extract, entry)) : foundBy(find, listed, entry, read);
    const { decodingStrategy } = find ?? extract;
    for (const [key, value] of Object.entries(found))
      made[renamed(key, rewrites)] = decoded(textOf(value), decodingStrategy);
  }
  for (const entry of spec.data ?? []) {
    const { property, decodingStrategy } = entry.remoteRef;
    const text = read(entry.remoteRef, entry);
    const value = property === undefined ? text : textOf(lookUp(JSON.parse(text), property));
    made[entry.secretKey] = decoded(value, decodingStrategy);
  }
  const { template, immutable = false } = spec.target ?? {};
  const literals = ((template?.templateFrom ?? []) as { literal: string }[]).flatMap(({ literal }) =>
    Object.entries(parse(fill(literal, made)) as Tree),
  );
  const own = Object.entries<string>(template?.data ?? {}).map(([key, text]) => [key, fill(text, made)]);
  const templated = [...literals, ...own];
  const keepsOthers = templated.length === 0 || template?.mergePolicy === "Merge";
  return {
    data: { ...(keepsOthers && made), ...Object.fromEntries(templated) },
    type: template?.type ?? "Opaque",
    // With a template, only its own metadata.
    labels: template === undefined ? labels : (template.metadata?.labels ?? {}),
    annotations: template === undefined ? annotations : (template.metadata?.annotations ?? {}),
    isImmutable: immutable,
  };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function extracted({ property }: { readonly property?: string }, text: string): Tree {
  const source = JSON.parse(text) as Tree;
  return (property === undefined ? source : objectIn(lookUp(source, property))) ?? {};
}

/** The operator reads an object, also one within a text. */
export function objectIn(found: unknown): Tree | undefined {
  let value = found;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Tree) : undefined;
}

/** AWS has applied path and tags. */
function foundBy(
  { name }: { readonly name?: { readonly regexp: string } },
  listed: readonly string[],
  entry: Tree,
  read: (reference: { readonly key: string }, entry: Tree) => string,
): Tree {
  const matching = listed.filter((each) => new RegExp(name?.regexp ?? "").test(each));
  return Object.fromEntries(
    matching.map((key) => [key.replace(/[^-._A-Za-z0-9]/g, "_"), read({ key }, entry)]),
  );
}

function decoded(text: string, strategy: string | undefined): string {
  if (strategy === undefined || strategy === "None") return text;
  if (strategy === "Auto") return decodedIfEncoded(text);
  return Buffer.from(text, strategy === "Base64URL" ? "base64url" : "base64").toString("utf8");
}

/** `decodingStrategy: Auto`: the standard alphabet first, and a text of neither as it is. */
export function decodedIfEncoded(text: string): string {
  const bytes = goDecode(text, "+/") ?? goDecode(text, "-_");
  return bytes === undefined ? text : Buffer.from(bytes).toString("utf8");
}

/** DecodeString of Go's encoding/base64, for the standard or the URL alphabet: four characters at a time. */
function goDecode(text: string, signs: string): number[] | undefined {
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${signs}`;
  const left = [...text].filter((character) => character !== "\r" && character !== "\n");
  const bytes: number[] = [];
  while (left.length > 0) {
    const four = left.splice(0, 4);
    const values = four.map((character) => alphabet.indexOf(character));
    const padding = four.join("").match(/=+$/)?.[0].length ?? 0;
    if (four.length < 4 || padding > 2 || values.slice(0, 4 - padding).includes(-1)) return undefined;
    if (padding > 0 && left.length > 0) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = values.map((value) => Math.max(value, 0));
    bytes.push(
      ...[(a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d].slice(0, 3 - padding),
    );
  }
  return bytes;
}

/** Only variables, `quote` of a plain text, and base64; the functions have their own tests. */
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(ACTION, (_, name: string, indexed: string, filter = "") => {
    const value = values[name ?? indexed] ?? "";
    if (filter === " | quote") return JSON.stringify(value);
    return filter === "" ? value : Buffer.from(value, "base64").toString("utf8");
  });

const ACTION = /\{\{ (?:\.(\w+)|index \. "([^"]+)")( \| (?:b64dec|quote))? \}\}/g;

const renamed = (key: string, rewrites: readonly { readonly regexp: Expression }[]): string =>
  rewrites.reduce((name, { regexp }) => rewrite(name, regexp), key);

type Expression = { readonly source: string; readonly target: string };

/** Go's ReplaceAllString; JavaScript's is equal for the supported expressions, except for the braces of a group. */
export function rewrite(key: string, { source, target }: Expression): string {
  return key.replace(new RegExp(source), target.replace(/\$\{1\}/, "$$1"));
}

/** The operator's lookup: with every dot escaped first, which is usually a literal key, and then as it is. */
export function lookUp(source: Tree, property: string): unknown {
  return lookUpPath(source, property.replaceAll(".", "\\.")) ?? lookUpPath(source, property);
}

/** A path of gjson; a backslash makes the next character plain, and a number is an index of a list. */
function lookUpPath(source: Tree, path: string): unknown {
  const parts = path
    .replace(/\\(.)/g, (_, plain: string) => (plain === "." ? "\u0001" : "\u0002"))
    .split(".")
    .map((part) => part.replaceAll("\u0001", ".").replaceAll("\u0002", "\\"));
  let at: unknown = source;
  for (const [index, part] of parts.entries()) {
    // The note INDEX_OR_KEY: the operator finds a key, and the relay refuses.
    if (index > 0 && /^\d+$/.test(part) && !Array.isArray(at)) return undefined;
    if (typeof at !== "object" || at === null) return undefined;
    if (Array.isArray(at) ? !/^\d+$/.test(part) : !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}
