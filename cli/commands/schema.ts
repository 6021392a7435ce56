import { Argument } from "commander";
import bindingsSchema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import reportSchema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { AddCommand } from "../cli.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";

const SCHEMAS = { bindings: bindingsSchema, report: reportSchema };

export const addSchema: AddCommand = (program, cli) => {
  program
    .command("schema")
    .summary("print the JSON Schema of a file")
    .description("Prints the JSON Schema of bindings.yaml, or of the report of a sweep.")
    .addArgument(new Argument("[file]", "which").choices(Object.keys(SCHEMAS)).default("bindings"))
    .addHelpText(
      "after",
      examples(["secret-relay schema > bindings.schema.json", "for an editor that speaks YAML"]),
    )
    .action(
      cli.runs(async (file: keyof typeof SCHEMAS) => {
        cli.terminal.out(JSON.stringify(SCHEMAS[file], null, 2));
        return EXIT.done;
      }),
    );
};
