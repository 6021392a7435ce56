import type { Binding, BoundSource, KeyRename, KeyRule } from "../bindings/binding.ts";
import { quoteName } from "../bindings/quote-name.ts";
import { RenderError } from "./errors.ts";
import { isDataKey } from "./is-data-key.ts";
import { matchesAny, matchPattern, renameKey } from "./match-pattern.ts";
import type { RenderSource } from "./render-source.ts";

/** Names the keys that Kubernetes does not allow, and shows the `extract` that renames them. */
export function invalidKeys(
  { target }: Binding,
  { keys: rule }: Pick<BoundSource, "keys">,
  { arn }: RenderSource,
  { sourceKeys, dataKeys }: { sourceKeys: readonly string[]; dataKeys: Iterable<string> },
): RenderError {
  const made = [...dataKeys].filter((key) => !isDataKey(key));
  const extract = extractOf(rule, sourceKeys);
  const fix =
    extract === undefined
      ? "Rename them with keys in the binding."
      : `${rule.kind === "all" ? "Use this in the binding in place of keys" : "Use this extract in the binding"}: ${extract}`;
  return new RenderError(
    "DATA_KEY_INVALID",
    `Secret ${target.namespace}/${target.name} cannot have the ${made.length === 1 ? "key" : "keys"} ${listOf(made)} of ${arn}: a key has 1 to 253 letters, digits, '-', '_' and '.', and does not start with two dots. ${fix}`,
  );
}

const NAMED_MAX = 20;

function listOf(keys: readonly string[]): string {
  const named = keys.slice(0, NAMED_MAX).map(quoteName).join(", ");
  return keys.length > NAMED_MAX ? `${named} and ${keys.length - NAMED_MAX} more` : named;
}

/** As YAML in one line; undefined if no pattern separates the keys, or if there are too many for one message. */
function extractOf(rule: BoundSource["keys"], sourceKeys: readonly string[]): string | undefined {
  if (rule.kind !== "all" && rule.kind !== "extracted") return undefined;
  const { jmespath, decode, include, exclude, rename } = rule.kind === "extracted" ? rule : ALL;
  const taken = sourceKeys.filter((key) => matchesAny(include, key) && !matchesAny(exclude, key));
  const nameOf = new Map(taken.map((key) => [key, renameKey(rename, key)]));
  const used = new Set([...nameOf.values()].filter(isDataKey));
  const added: KeyRename[] = [];
  for (const [key, name] of nameOf) {
    if (isDataKey(name)) continue;
    const pattern = patternFor(key, taken);
    if (pattern === undefined || added.length === NAMED_MAX) return undefined;
    const to = unusedName(mendName(name), used);
    used.add(to);
    added.push({ pattern, to });
  }
  const isWhole = include.length === 1 && include[0] === "*";
  const parts = [
    ...(jmespath === undefined ? [] : [`jmespath: ${quotePattern(jmespath)}`]),
    ...(decode === undefined ? [] : [`decode: ${decode}`]),
    ...(isWhole ? [] : [`include: ${JSON.stringify(include)}`]),
    ...(exclude.length === 0 ? [] : [`exclude: ${JSON.stringify(exclude)}`]),
    `rename: [${[...added, ...rename].map(entryOf).join(", ")}]`,
  ];
  return `extract: { ${parts.join(", ")} }`;
}

const ALL: Extract<KeyRule, { kind: "extracted" }> = {
  kind: "extracted",
  include: ["*"],
  exclude: [],
  rename: [],
};

const entryOf = ({ pattern, to }: KeyRename): string =>
  `{ pattern: ${quotePattern(pattern)}, to: ${quotePattern(to)} }`;

// A JSON string is also a double-quoted YAML string.
const quotePattern = (text: string): string =>
  JSON.stringify(text).replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`,
  );

const PATTERN_MAX = 80;

/** A pattern that matches this key and no other one. */
function patternFor(key: string, keys: readonly string[]): string | undefined {
  const starred = key.replace(/\*+/g, "*");
  const pattern =
    starred.length <= PATTERN_MAX ? starred : `${starred.slice(0, PATTERN_MAX).replace(/\*$/, "")}*`;
  const isAlone = keys.every((other) => other === key || matchPattern(pattern, other) === undefined);
  const isAllowed = pattern.split("*").length <= STARS_MAX + 1 && pattern.isWellFormed();
  return isAlone && isAllowed ? pattern : undefined;
}

/** As in the schema of bindings.yaml. */
const STARS_MAX = 8;

function mendName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^-._a-zA-Z0-9]+/g, "-")
    .replace(/^[-.]+|-+$/g, "");
  const mended = plain === "__proto__" ? "proto" : plain;
  return mended === "" ? "unnamed" : mended.slice(0, NAME_MAX);
}

const NAME_MAX = 240;

function unusedName(name: string, used: ReadonlySet<string>): string {
  let unused = name;
  for (let count = 2; used.has(unused); count += 1) unused = `${name}-${count}`;
  return unused;
}
