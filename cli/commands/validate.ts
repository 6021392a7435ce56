import path from "node:path";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { type AddCommand, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { readInputFile } from "../files.ts";

export const addValidate: AddCommand = (program, cli) => {
  defineCommand(program, "validate", {
    summary: "check bindings.yaml and list every mistake",
    description: "Checks a bindings file as publish does. It does not call AWS or a cluster.",
    examples: [["secret-relay validate", "ends with 0 if the file is valid, otherwise with 2"]],
  })
    .argument("[file]", "the bindings", "bindings.yaml")
    .option("--json", "print the result as one JSON object")
    .action(
      cli.runs(async (file: string, options: { json?: boolean }) => {
        const { terminal } = cli;
        const text = await readInputFile(
          cli,
          file,
          "Create it with secret-relay init, or name another: secret-relay validate FILE",
        );
        const { loadBindings } = await import("../../shared/bindings/load-bindings.ts");
        try {
          const { bindings, clusters } = loadBindings(text, path.basename(file));
          const targets = bindings.length;
          const all = Object.values(clusters);
          const triggered = all.filter(({ externalSecrets }) => externalSecrets !== undefined).length;
          const triggers = triggered > 0 ? `, and trigger mode in ${triggered} cluster(s)` : "";
          return finish(cli, options, { ok: true, targets, clusters: all.length }, () =>
            terminal.out(`${file} is valid: ${targets} Kubernetes Secret(s)${triggers}`),
          );
        } catch (error) {
          if (!(error instanceof BindingsError)) throw error;
          terminal.say(error.message);
          const { code, problems, truncated } = error;
          if (options.json) terminal.out(JSON.stringify({ ok: false, error: { code, problems, truncated } }));
          return EXIT.usage;
        }
      }),
    );
};
