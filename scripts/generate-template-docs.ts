/**
 * Writes the tables of parameters in docs/deploy.md from template.yaml. A test fails when they are out of date.
 *
 *   node scripts/generate-template-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/deploy.md", import.meta.url);
const SCRIPT = "generate-template-docs.ts";
const TEMPLATE_FILE = new URL("../template.yaml", import.meta.url);

/** The document with its tables updated; the text outside of their markers is unchanged. */
export function withTables(document: string): string {
  return replaceMarked(document, SCRIPT, "parameters", parameterTables(readTemplate()));
}

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

type Parameter = {
  readonly Default?: string | number;
  readonly Description?: string;
  readonly AllowedValues?: readonly (string | number)[];
  readonly MinValue?: number;
  readonly MaxValue?: number;
  readonly ConstraintDescription?: string;
};

function readTemplate(): Template {
  // Silent, since CloudFormation's short forms (!Ref, !If) are unknown tags. The parameters do not use them.
  return parseDocument(readFileSync(TEMPLATE_FILE, "utf8"), { logLevel: "silent" }).toJS() as Template;
}

/** One table for each parameter group of the CloudFormation console. */
function parameterTables(template: Template): string {
  const groups = template.Metadata["AWS::CloudFormation::Interface"].ParameterGroups;
  const sections = groups.map(({ Label, Parameters: names }) => {
    const rows = names.map((name) => rowOf(name, template.Parameters[name] ?? {}));
    const header = ["| Parameter | Default | What it is |", "| --- | --- | --- |"];
    return [`### ${Label.default}`, "", ...header, ...rows].join("\n");
  });
  return sections.join("\n\n");
}

function rowOf(name: string, parameter: Parameter): string {
  const { Default: fallback = "" } = parameter;
  const text = [parameter.Description ?? "", limitsOf(parameter)].join(" ").trim();
  const cells = [`\`${name}\``, fallback === "" ? "" : `\`${fallback}\``, text];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function limitsOf({ AllowedValues, MinValue, MaxValue, ConstraintDescription }: Parameter): string {
  if (AllowedValues !== undefined) {
    const isRange = AllowedValues.length > 6;
    return isRange
      ? `One of CloudWatch's steps from \`${AllowedValues[0]}\` to \`${AllowedValues.at(-1)}\`.`
      : `One of ${AllowedValues.map((value) => `\`${value}\``).join(", ")}.`;
  }
  if (MinValue !== undefined) {
    return MaxValue === undefined ? `At least ${MinValue}.` : `From ${MinValue} to ${MaxValue}.`;
  }
  return ConstraintDescription === undefined ? "" : `It ${ConstraintDescription}.`;
}

if (import.meta.main) writeFileSync(DOCS_FILE, withTables(readFileSync(DOCS_FILE, "utf8")));
