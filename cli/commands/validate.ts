import path from "node:path";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { readInputFile } from "../bindings-file.ts";
import type { AddCommand } from "../cli.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";

export const addValidate: AddCommand = (program, cli) => {
  program
    .command("validate")
    .summary("check bindings.yaml and tell every mistake")
    .description("Checks a bindings file as the build does. Nothing is asked of AWS or a cluster.")
    .argument("[file]", "the bindings", "bindings.yaml")
    .option("--json", "print one JSON object")
    .addHelpText("after", examples(["secret-relay validate", "0 when it is fine, 2 when it is not"]))
    .action(
      cli.runs(async (file: string, { json = false }: { json?: boolean }) => {
        const { terminal } = cli;
        const text = await readInputFile(cli, file);
        try {
          const { bindings, clusters } = loadBindings(text, path.basename(file));
          const targets = bindings.length;
          const triggered = Object.values(clusters).filter(
            (cluster) => cluster.externalSecrets !== undefined,
          );
          const triggers = triggered.length > 0 ? `, and trigger mode in ${triggered.length} cluster(s)` : "";
          if (json) {
            terminal.out(JSON.stringify({ ok: true, targets, clusters: Object.keys(clusters).length }));
          } else terminal.out(`${file} is fine: ${targets} Kubernetes Secret(s)${triggers}`);
          return EXIT.done;
        } catch (error) {
          if (!(error instanceof BindingsError)) throw error;
          terminal.say(error.message);
          const { code, problems, truncated } = error;
          if (json) terminal.out(JSON.stringify({ ok: false, error: { code, problems, truncated } }));
          return EXIT.usage;
        }
      }),
    );
};
