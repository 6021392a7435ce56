/**
 * Writes the tables of parameters in docs/deploy.md and docs/operations.md from the templates, and the table of fixed
 * costs. A test fails when they are out of date.
 *
 *   node scripts/generate-template-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { fixedCostsTable } from "./fixed-costs.ts";
import { replaceMarked } from "./replace-marked.ts";

const SCRIPT = "generate-template-docs.ts";

/** The pages with their tables updated; the text outside of their markers is unchanged. */
export const PAGES: Readonly<Record<string, (page: string) => string>> = {
  "docs/deploy.md": (page) => replaceMarked(page, SCRIPT, "parameters", parameterTables("template.yaml")),
  "docs/operations.md": (page) =>
    replaceMarked(
      replaceMarked(page, SCRIPT, "fixed costs", fixedCostsTable()),
      SCRIPT,
      "parameters",
      parameterTables("monitoring.yaml"),
    ),
};

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

/** One table for each parameter group of the CloudFormation console. */
function parameterTables(file: string): string {
  // Silent, since CloudFormation's short forms (!Ref, !If) are unknown tags. The parameters do not use them.
  const template = parseDocument(read(file), { logLevel: "silent" }).toJS() as Template;
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

const at = (file: string): URL => new URL(`../${file}`, import.meta.url);
const read = (file: string): string => readFileSync(at(file), "utf8");

if (import.meta.main) {
  for (const [file, update] of Object.entries(PAGES)) writeFileSync(at(file), update(read(file)));
}
