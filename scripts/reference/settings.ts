import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { code, firstSentence, tableOf } from "./markdown.ts";

type SchemaPart = {
  readonly $ref?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
};

const definitions = schema.$defs as Readonly<Record<string, SchemaPart>>;

const SECTIONS: readonly [heading: string, part: SchemaPart][] = [
  ["The file", schema as SchemaPart],
  ["`clusters.<key>`", definition("cluster")],
  ["`clusters.<key>.externalSecrets`", definition("externalSecrets")],
  ["`bindings[]`", definition("binding")],
  ["`bindings[].sources[]`", definition("boundSource")],
  ["`bindings[].keys.<key>`", definition("keySource")],
  ["`bindings[].extract`", definition("extract")],
  ["`bindings[].extract.rename[]`", definition("keyRename")],
  ["`bindings[].targets[]`", definition("target")],
  ["`bindings[].targets[].restart`", definition("restart")],
  ["`bindings[].targets[].restart.workloads[]`", definition("workload")],
  ["`defaults`", resolved(schema.properties.defaults)],
];

/** The maps of the file. A setting that an earlier map has with the same meaning is only named. */
export function settingTables(): string {
  const explained = new Set<string>();
  return SECTIONS.map(([heading, part]) => {
    const settings = Object.entries(part.properties ?? {}).map(([key, property]) => {
      const { description = "", default: fallback } = resolved(property);
      const isRequired = part.required?.includes(key) ?? false;
      return {
        key,
        text: firstSentence(description),
        default: isRequired ? "**required**" : defaultOf(fallback),
      };
    });
    const isNew = ({ key, text }: (typeof settings)[number]) => !explained.has(`${key} ${text}`);
    const rows = settings.filter(isNew).map((setting) => [code(setting.key), setting.default, setting.text]);
    const known = settings.filter((setting) => !isNew(setting)).map(({ key }) => code(key));
    for (const { key, text } of settings) explained.add(`${key} ${text}`);
    return [
      `### ${heading}`,
      ...(rows.length > 0 ? [tableOf(["setting", "default", "what it does"], rows)] : []),
      ...(known.length > 0 ? [`${rows.length > 0 ? "Also" : "As"} above: ${known.join(", ")}.`] : []),
    ].join("\n\n");
  }).join("\n\n");
}

const defaultOf = (value: unknown): string =>
  value === undefined ? "" : code(typeof value === "string" ? value : JSON.stringify(value));

function definition(name: string): SchemaPart {
  const part = definitions[name];
  if (part === undefined) throw new Error(`shared/bindings/bindings.schema.json does not define ${name}`);
  return part;
}

/** Keywords next to a reference override those of its definition. */
function resolved(part: SchemaPart): SchemaPart {
  return part.$ref === undefined ? part : { ...definition(part.$ref.replace("#/$defs/", "")), ...part };
}
