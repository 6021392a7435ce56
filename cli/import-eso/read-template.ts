import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader } from "./fields.ts";
import { isVariableName, templateRule } from "./go-template.ts";
import type { Conversion, Extraction, PickedKey, VersionedSource } from "./parts.ts";
import { entriesOf, mergeEntries } from "./source-entries.ts";

/** With a template, its data defines the keys; with mergePolicy: Merge, the other keys stay. */
export function readTemplates(
  context: Conversion,
  target: FieldReader,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): SourceEntry[] | undefined {
  if (!target.has("template")) return undefined;
  const template = target.map("template");
  const engine = template.string("engineVersion") ?? "v2";
  const mergePolicy = template.string("mergePolicy") ?? "Replace";
  if (template.has("templateFrom")) {
    const reason =
      "the template is in another object, or creates its keys. Put the text into target.template.data";
    template.refuse("TEMPLATE_FROM", reason, "templateFrom");
  }
  const texts = template.stringMap("data");
  if (Object.keys(texts).length === 0) return undefined;
  if (engine !== "v2") {
    template.refuse("TEMPLATE", `engine ${engine} differs from v2`, "engineVersion");
    return [];
  }
  const made = Object.entries(texts).map(([key, text]) =>
    readTemplate(context, { key, text, path: `${template.at("data")}.${key}` }, extracts, picks),
  );
  const kept = mergePolicy === "Merge" ? picks.filter(({ key }) => !Object.hasOwn(texts, key)) : [];
  const own = made.flatMap((entry) => entry ?? []);
  if (mergePolicy === "Merge" && extracts.length > 0) {
    return [...entriesOf(extracts, kept, context.note), ...own];
  }
  return mergeEntries([...entriesOf([], kept, context.note), ...own]);
}

function readTemplate(
  { objections, note }: Conversion,
  { key, text, path }: { readonly key: string; readonly text: string; readonly path: string },
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): SourceEntry | undefined {
  const refuse = (reason: string) => void objections.add(path, "TEMPLATE", reason);
  const isDataComplete = !objections.all.some((each) => DATA.test(each.path));
  const rule = templateRule(text);
  if (rule.kind === "refused") return refuse(rule.reason);
  const names = new Map<string, string>();
  const sources = new Map<string, VersionedSource>();
  for (const variable of rule.variables) {
    const found = variableOf(variable, extracts, picks);
    // A key of data can be missing because of another objection, which is enough.
    if (found === undefined)
      return isDataComplete ? refuse(`data does not define its variable ${variable}`) : undefined;
    if (typeof found === "string") return refuse(found);
    names.set(variable, found.name);
    sources.set(JSON.stringify(found.at), found.at);
  }
  if (sources.size > 1) return refuse("it uses several sources, and a template of the relay has one source");
  const at = [...sources.values()][0] ?? picks[0]?.at ?? extracts[0]?.at;
  if (at === undefined) return undefined; // its sources have objections
  if (names.size > 0) note("NUMBER_SPELLING");
  return { ...at, keys: { [key]: { template: rule.write((variable) => names.get(variable) ?? variable) } } };
}

const DATA = /^spec\.(externalSecretSpec\.)?data/;

/** The key and source of a variable, or the reason why it is unsupported. Undefined if data does not define it. */
function variableOf(
  variable: string,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): { name: string; at: VersionedSource } | string | undefined {
  const picked = picks.find(({ key }) => key === variable);
  if (picked !== undefined) {
    const { made, at } = picked;
    if (made.kind === "whole")
      return `its variable ${variable} is a whole value, and a template of the relay uses the keys of a source`;
    if (!("key" in made.source)) return `its variable ${variable} is a property path`;
    if (made.source.decode !== undefined) return `its variable ${variable} is decoded first`;
    const name = made.source.key;
    return isVariableName(name)
      ? { name, at }
      : `its variable ${variable} is the key ${name}, which is not a valid variable name`;
  }
  const [extract, another] = extracts;
  if (extract === undefined) return undefined;
  if (another !== undefined) return `its variable ${variable} can come from several sources`;
  if ("extract" in extract.rules) return `its variable ${variable} is renamed first`;
  return isVariableName(variable)
    ? { name: variable, at: extract.at }
    : `${variable} is not a valid variable name`;
}
