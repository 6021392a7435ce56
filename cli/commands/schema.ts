import { Argument } from "commander";
import bindingsSchema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import reportSchema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { AddCommand } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";

const SCHEMAS = { bindings: bindingsSchema, report: reportSchema };

export const addSchema: AddCommand = (program, cli) => {
  defineCommand(program, "schema", {
    summary: "print the JSON Schema of bindings.yaml or of a sweep report",
    description: "Prints the JSON Schema of bindings.yaml or of a sweep report.",
    examples: [["secret-relay schema > bindings.schema.json", "for an editor with YAML support"]],
  })
    .addArgument(new Argument("[file]", "the kind of file").choices(Object.keys(SCHEMAS)).default("bindings"))
    .action(
      cli.runs(async (file: keyof typeof SCHEMAS) => {
        cli.terminal.out(JSON.stringify(SCHEMAS[file], null, 2));
        return EXIT.done;
      }),
    );
};
