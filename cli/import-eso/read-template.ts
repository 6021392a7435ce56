import type { KeySource } from "../../shared/bindings/binding.ts";
import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import { type FieldReader, pathTo } from "./fields.ts";
import { pathOf, type TemplateRule, templateRule } from "./go-template.ts";
import { NamedSources } from "./named-sources.ts";
import type { Conversion, Extraction, PickedKey, VersionedSource } from "./parts.ts";
import { readTemplateFrom } from "./read-template-from.ts";
import { entriesOf, mergeEntries } from "./source-entries.ts";

/** The entries of the sources, and the keys of the binding that are made of several of them. */
export type Templated = {
  readonly entries: readonly SourceEntry[];
  readonly named?: {
    readonly sources: readonly (SourceEntry & { readonly name: string })[];
    readonly keys: Readonly<Record<string, KeySource>>;
  };
};

/** With a template, its data defines the keys; with mergePolicy: Merge, the other keys stay. */
export function readTemplates(
  context: Conversion,
  target: FieldReader,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): Templated | undefined {
  if (!target.has("template")) return undefined;
  const template = target.map("template");
  const engine = template.string("engineVersion") ?? "v2";
  const mergePolicy = template.string("mergePolicy") ?? "Replace";
  if (!["Replace", "Merge"].includes(mergePolicy)) {
    template.refuse("FIELD_MALFORMED", "it must be Replace or Merge", "mergePolicy");
  }
  const created = readTemplateFrom(template, context.note);
  const own = template.stringMap("data");
  const texts = new Map([...created, ...Object.entries(own)]);
  if (texts.size === 0) return undefined;
  if (engine !== "v2") {
    template.refuse(
      "TEMPLATE",
      `engine ${engine} differs from v2. Rewrite the template for v2, with the guide of External Secrets Operator`,
      "engineVersion",
    );
    return { entries: [] };
  }
  const made = [...texts].map(([key, text]) => {
    const path = Object.hasOwn(own, key) ? pathTo(template.at("data"), key) : template.at("templateFrom");
    return readTemplate(context, { key, text, path }, extracts, picks);
  });
  const kept = mergePolicy === "Merge" ? picks.filter(({ key }) => !texts.has(key)) : [];
  const single = made.flatMap((result) => (result?.kind === "one" ? result.entry : []));
  const merged = mergePolicy === "Merge" ? extracts : [];
  const before = entriesOf(merged, kept, context.note);
  const entries = merged.length > 0 ? [...before, ...single] : mergeEntries([...before, ...single]);
  const composed = made.flatMap((result) => (result?.kind === "several" ? result : []));
  return composed.length === 0 ? { entries } : { entries, named: namedOf(composed) };
}

type Made = { readonly kind: "one"; readonly entry: SourceEntry } | ({ readonly kind: "several" } & Composed);

/** A key that needs the names of sources. */
type Composed = {
  readonly key: string;
  /** A source of a template without variables. */
  readonly anchor?: VersionedSource;
  readonly rule: Translated;
  readonly variables: ReadonlyMap<string, Variable>;
};

type Translated = Extract<TemplateRule, { kind: "template" }>;

/** Without a key it is the whole value of its source. */
type Variable = { readonly at: VersionedSource; readonly key?: string; readonly isExtracted?: true };

function namedOf(composed: readonly Composed[]): NonNullable<Templated["named"]> {
  const sources = new NamedSources();
  const keys = composed.map(({ key, rule, variables, anchor }): [string, KeySource] => {
    if (anchor !== undefined) sources.nameOf(anchor);
    const template = rule.write((variable) => {
      const found = variables.get(variable);
      if (found === undefined) throw new TypeError("Every variable of a template was found");
      const name = sources.nameOf(found.at);
      return found.key === undefined ? name : pathOf(found.key, name);
    });
    return [key, { template }];
  });
  return { sources: sources.all, keys: Object.fromEntries(keys) };
}

function readTemplate(
  { objections, note }: Conversion,
  { key, text, path }: { readonly key: string; readonly text: string; readonly path: string },
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): Made | undefined {
  const refuse = (reason: string) => void objections.add(path, "TEMPLATE", reason);
  const isDataComplete = !objections.all.some((each) => DATA.test(each.path));
  const rule = templateRule(text);
  if (rule.kind === "refused") return refuse(rule.reason);
  const variables = new Map<string, Variable>();
  for (const variable of rule.variables) {
    const found = variableOf(variable, extracts, picks);
    // A key of data can be missing because of another objection, which is enough.
    if (found === undefined)
      return isDataComplete
        ? refuse(`data does not define its variable ${variable}. Add it to data`)
        : undefined;
    if (typeof found === "string") return refuse(found);
    variables.set(variable, found);
    if (found.isExtracted) {
      note("NESTED_SPELLING");
      if (variable.includes("_")) note("ILLEGAL_KEYS_REFUSED");
      if (rule.indexed.includes(variable)) note("ABSENT_KEY_REFUSED");
    }
  }
  if (rule.isDecoding) note("B64DEC_REFUSED");
  const all = [...variables.values()];
  const [only] = all;
  const isOfOneObject =
    all.every((each) => each.key !== undefined) && new Set(all.map(({ at }) => JSON.stringify(at))).size <= 1;
  if (rule.only !== undefined && only !== undefined) {
    const decode = rule.only.isDecoded ? ({ decode: "base64" } as const) : {};
    if (only.key === undefined) return { kind: "one", entry: { ...only.at, value: key, ...decode } };
    if (rule.only.isDecoded)
      return { kind: "one", entry: { ...only.at, keys: { [key]: { key: only.key, ...decode } } } };
  }
  if (!isOfOneObject) return { kind: "several", key, rule, variables };
  const anchor = only ?? anchorOf(extracts, picks);
  if (anchor === undefined) return undefined; // its sources have objections
  const { at } = anchor;
  // A whole value need not be a JSON object.
  if (anchor.key === undefined) return { kind: "several", key, rule, variables, anchor: at };
  const template = rule.write((variable) => pathOf(variables.get(variable)?.key ?? variable));
  return { kind: "one", entry: { ...at, keys: { [key]: { template } } } };
}

/** A source for a template without variables, if possible one that is a JSON object anyway. */
function anchorOf(extracts: readonly Extraction[], picks: readonly PickedKey[]): Variable | undefined {
  const candidates = [
    ...picks.map(({ at, made }): Variable => (made.kind === "whole" ? { at } : { at, key: "" })),
    ...extracts.map(({ at, rules }): Variable => ("value" in rules ? { at } : { at, key: "" })),
  ];
  return candidates.find(({ key }) => key !== undefined) ?? candidates[0];
}

const DATA = /^spec\.(externalSecretSpec\.)?data/;

/** The source of a variable, or the reason why it is unsupported. Undefined if data does not define it. */
function variableOf(
  variable: string,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): Variable | string | undefined {
  const picked = picks.find(({ key }) => key === variable);
  if (picked !== undefined) {
    const { made, at } = picked;
    const decode = made.kind === "whole" ? made.decode : made.source.decode;
    if (decode !== undefined) return `its variable ${variable} is decoded first. Write the key by hand`;
    if (made.kind === "whole") return { at };
    return "key" in made.source
      ? { at, key: made.source.key }
      : `its variable ${variable} is a property path. Write the key by hand`;
  }
  const found = extracts.findLast(({ rules }) => "value" in rules && rules.value === variable);
  const open = extracts.filter(({ rules }) => !("value" in rules));
  const [extract, another] = found === undefined ? open : [found, ...open];
  if (extract === undefined) return undefined;
  if (another !== undefined) return `its variable ${variable} can come from several sources. Name it in data`;
  const { at, rules } = extract;
  if ("value" in rules) {
    return rules.decode === undefined
      ? { at }
      : `its variable ${variable} is decoded first. Write the key by hand`;
  }
  if ("keys" in rules) return { at, key: variable, isExtracted: true };
  const { jmespath, rename } = rules.extract;
  if (jmespath !== undefined) return `its variable ${variable} is a key of a nested object. Name it in data`;
  return `its variable ${variable} is ${rename === undefined ? "decoded" : "renamed"} first. Name it in data`;
}
