import { Argument } from "commander";
import bindingsSchema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import partSchema from "../../shared/bindings/published/part.schema.json" with { type: "json" };
import pointerSchema from "../../shared/bindings/published/pointer.schema.json" with { type: "json" };
import reportSchema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { AddCommand } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";

const SCHEMAS = {
  bindings: bindingsSchema,
  report: reportSchema,
  pointer: pointerSchema,
  part: partSchema,
};

export const addSchema: AddCommand = (program, cli) => {
  defineCommand(program, "schema", {
    summary: "print the JSON Schema of bindings.yaml, a sweep report or a published object",
    description:
      "Prints the JSON Schema of bindings.yaml, of a sweep report, or of an object in the bindings bucket: the pointer bindings.json, or a part.",
    examples: [
      ["secret-relay schema > bindings.schema.json", "for an editor with YAML support"],
      ["secret-relay schema part", "for a program that reads the bindings bucket"],
    ],
  })
    .addArgument(new Argument("[file]", "the kind of file").choices(Object.keys(SCHEMAS)).default("bindings"))
    .action(
      cli.runs(async (file: keyof typeof SCHEMAS) => {
        cli.terminal.out(JSON.stringify(SCHEMAS[file], null, 2));
        return EXIT.done;
      }),
    );
};
