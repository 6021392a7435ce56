/**
 * Writes the reference part of docs/configuration.md from shared/bindings/bindings.schema.json.
 * A test fails when the file is out of date.
 *
 *   node scripts/generate-configuration-docs.ts
 */
import { readFile, writeFile } from "node:fs/promises";
import schema from "../shared/bindings/bindings.schema.json" with { type: "json" };
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/configuration.md", import.meta.url);

/** The document with its reference updated; the text outside of the markers is unchanged. */
export function withReference(document: string): string {
  return replaceMarked(document, "generate-configuration-docs.ts", "reference", reference());
}

type SchemaPart = {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly patternErrorMessage?: string;
};

const definitions = schema.$defs as Readonly<Record<string, SchemaPart>>;

/** The maps of the file, outermost first. */
function reference(): string {
  const sections: readonly [heading: string, part: SchemaPart][] = [
    ["The file", schema as SchemaPart],
    ["`clusters.<key>`", resolved({ $ref: "#/$defs/cluster" })],
    ["`clusters.<key>.externalSecrets`", resolved({ $ref: "#/$defs/externalSecrets" })],
    ["`defaults`", resolved(schema.properties.defaults)],
    ["`bindings[]`", resolved({ $ref: "#/$defs/binding" })],
    ["`bindings[].sources[]`", resolved({ $ref: "#/$defs/boundSource" })],
    ["`bindings[].keys.<key>`", resolved({ $ref: "#/$defs/keySource" })],
    ["`bindings[].extract`", resolved({ $ref: "#/$defs/extract" })],
    ["`bindings[].extract.rename[]`", resolved({ $ref: "#/$defs/keyRename" })],
    ["`bindings[].targets[]`", resolved({ $ref: "#/$defs/target" })],
    ["`bindings[].targets[].restart`", resolved({ $ref: "#/$defs/restart" })],
    ["`bindings[].targets[].restart.workloads[]`", resolved({ $ref: "#/$defs/workload" })],
  ];
  return sections.map(([heading, part]) => section(heading, part)).join("\n\n");
}

function section(heading: string, part: SchemaPart): string {
  const rows = Object.entries(part.properties ?? {}).map(([key, property]) => {
    const required = part.required?.includes(key) ?? false;
    return row(key, resolved(property), required);
  });
  return [
    `### ${heading}`,
    "",
    ...(part.description === undefined ? [] : [part.description, ""]),
    "| Setting | Kind | Default | What it does | Example |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function row(key: string, part: SchemaPart, required: boolean): string {
  const fallback = part.default === undefined ? "" : code(part.default);
  const cells = [
    `\`${key}\``,
    kindOf(part),
    required ? "**required**" : fallback,
    [part.description ?? part.title ?? "", limitOf(part.patternErrorMessage)].join(" ").trim(),
    (part.examples ?? []).map(code).join("<br>"),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

// "This is not …" is for a mistake; "A namespace is …" is a rule.
const limitOf = (message = "This is not limited"): string =>
  message.startsWith("This is not") ? "" : `${message}.`;

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  array: "list",
  object: "map",
  boolean: "boolean",
  integer: "whole number",
};

function kindOf({ type, const: constant }: SchemaPart): string {
  if (constant !== undefined) return code(constant);
  return [type ?? []]
    .flat()
    .map((name) => KINDS[name] ?? name)
    .join(", ");
}

const code = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

/** Keywords next to a reference override those of its definition. */
function resolved(part: SchemaPart): SchemaPart {
  if (part.$ref === undefined) return part;
  const definition = definitions[part.$ref.replace("#/$defs/", "")];
  if (definition === undefined)
    throw new Error(`shared/bindings/bindings.schema.json does not define ${part.$ref}`);
  return { ...definition, ...part };
}

if (import.meta.main) await writeFile(DOCS_FILE, withReference(await readFile(DOCS_FILE, "utf8")));
