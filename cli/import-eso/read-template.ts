import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader } from "./fields.ts";
import { isVariableName, templateRule } from "./go-template.ts";
import type { Conversion, Extraction, PickedKey, VersionedSource } from "./parts.ts";
import { entriesOf, mergeEntries } from "./source-entries.ts";

/** With a template the keys are those of its data, and with mergePolicy: Merge the others besides. */
export function readTemplates(
  context: Conversion,
  target: FieldReader,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): SourceEntry[] | undefined {
  if (!target.has("template")) return undefined;
  const template = target.map("template");
  const engine = template.text("engineVersion") ?? "v2";
  const mergePolicy = template.text("mergePolicy") ?? "Replace";
  if (template.has("templateFrom")) {
    template.object(
      "TEMPLATE_FROM",
      "its template stands elsewhere, or names its keys itself. Put the text into target.template.data",
      "templateFrom",
    );
  }
  const texts = template.texts("data");
  if (Object.keys(texts).length === 0) return undefined;
  if (engine !== "v2") {
    template.object("TEMPLATE", `engine ${engine} has other functions and rules than v2`, "engineVersion");
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
  { wrong, note }: Conversion,
  { key, text, path }: { readonly key: string; readonly text: string; readonly path: string },
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): SourceEntry | undefined {
  const refuse = (reason: string) => void wrong.add(path, "TEMPLATE", reason);
  const isDataWhole = !wrong.all.some((each) => DATA.test(each.path));
  const rule = templateRule(text);
  if (rule.kind === "refused") return refuse(rule.reason);
  const names = new Map<string, string>();
  const sources = new Map<string, VersionedSource>();
  for (const variable of rule.variables) {
    const found = variableOf(variable, extracts, picks);
    // What data does not hold because of another objection is not told a second time.
    if (found === undefined)
      return isDataWhole ? refuse(`its variable ${variable} is made by nothing in data`) : undefined;
    if (typeof found === "string") return refuse(found);
    names.set(variable, found.name);
    sources.set(JSON.stringify(found.at), found.at);
  }
  if (sources.size > 1)
    return refuse(
      "it puts values of several sources into one text, and a template of the relay has one source",
    );
  const at = [...sources.values()][0] ?? picks[0]?.at ?? extracts[0]?.at;
  if (at === undefined) return undefined; // what it is made from has objections of its own
  if (names.size > 0) note("NUMBER_SPELLING");
  return { ...at, keys: { [key]: { template: rule.write((variable) => names.get(variable) ?? variable) } } };
}

const DATA = /^spec\.(externalSecretSpec\.)?data/;

/** Which key of which source a variable is; or why that can't be said. Undefined when nothing is known to make it. */
function variableOf(
  variable: string,
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
): { name: string; at: VersionedSource } | string | undefined {
  const picked = picks.find(({ key }) => key === variable);
  if (picked !== undefined) {
    const { made, at } = picked;
    if (made.kind === "whole")
      return `its variable ${variable} is a whole value, and a template of the relay has the keys of a source`;
    if (!("key" in made.source)) return `its variable ${variable} is found by a path`;
    if (made.source.decode !== undefined) return `its variable ${variable} is decoded before`;
    const name = made.source.key;
    return isVariableName(name)
      ? { name, at }
      : `its variable ${variable} is the key ${name}, which is no name of a variable`;
  }
  const [extract, another] = extracts;
  if (extract === undefined) return undefined;
  if (another !== undefined) return `its variable ${variable} may be of any of several sources`;
  if ("extract" in extract.rules) return `its variable ${variable} is renamed before`;
  return isVariableName(variable)
    ? { name: variable, at: extract.at }
    : `its variable ${variable} is no name of a variable`;
}
