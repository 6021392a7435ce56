import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { code, firstSentence, tableOf } from "./markdown.ts";

type Template = {
  readonly Metadata: {
    readonly "AWS::CloudFormation::Interface": {
      readonly ParameterGroups: readonly {
        readonly Label: { readonly default: string };
        readonly Parameters: readonly string[];
      }[];
    };
  };
  readonly Parameters: Readonly<Record<string, Parameter>>;
};

type Parameter = { readonly Default?: string | number; readonly Description?: string };

/** One table for each parameter group of the CloudFormation console. */
export function parameterTables(file: "template.yaml" | "monitoring.yaml"): string {
  // Silent, since CloudFormation's short forms (!Ref, !If) are unknown tags. The parameters do not use them.
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  const template = parseDocument(text, { logLevel: "silent" });
  const { Metadata, Parameters } = template.toJS() as Template;
  return Metadata["AWS::CloudFormation::Interface"].ParameterGroups.map(({ Label, Parameters: names }) => {
    const rows = names.map((name) => rowOf(name, Parameters[name] ?? {}));
    return `### ${titleOf(Label.default)}\n\n${tableOf(["parameter", "default", "what it is"], rows)}`;
  }).join("\n\n");
}

const titleOf = (label: string): string => label.replace(/[:(].*/s, "").trim();

function rowOf(name: string, { Default: fallback = "", Description = "" }: Parameter): Row {
  const text = firstSentence(Description)
    .replace(", separated by commas without spaces", "")
    .replace(/ \([A-Z_]{4,}( of [a-z ]+)?\)/, ""); // the environment variable
  return [code(name), fallback === "" ? "" : code(String(fallback)), text];
}

type Row = readonly [name: string, fallback: string, text: string];
