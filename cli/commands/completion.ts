import { Argument } from "commander";
import type { AddCommand, Cli } from "../cli.ts";
import { completeWords, type KnownNames } from "../completion/complete-words.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const addCompletion: AddCommand = (program, cli) => {
  program
    .command("completion")
    .summary("print the script that completes words in your shell")
    .description(
      "Prints the script by which a shell completes commands, options, clusters and Secrets of bindings.yaml, or of the file that -b or BINDINGS_FILE names; not those of published bindings. It calls secret-relay, which must be on the PATH: npm install --global eks-secret-relay.",
    )
    .addArgument(new Argument("<shell>", "which").choices(SHELLS))
    .addHelpText(
      "after",
      examples(
        ["source <(secret-relay completion bash)", "in ~/.bashrc"],
        ["source <(secret-relay completion zsh)", "in ~/.zshrc, after compinit"],
        ["secret-relay completion fish | source", "in ~/.config/fish/config.fish"],
      ),
    )
    .action(
      cli.runs(async (shell: (typeof SHELLS)[number]) => {
        if (shell === "bash") {
          const { BASH_SCRIPT } = await import("../completion/bash-script.ts");
          cli.terminal.out(BASH_SCRIPT);
        } else {
          const { script } = await import("@bomb.sh/tab");
          script(shell, "secret-relay", "secret-relay"); // prints it
        }
        return EXIT.done;
      }),
    );

  // The scripts call this with the words typed so far. It prints one line for each candidate, then a directive.
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(
      cli.runs(async (words: readonly string[]) => {
        const { candidates, takesFile } = await completeWords(program, words, namesOf(cli, words));
        for (const { value, what } of candidates) cli.terminal.out(`${value}\t${what}`);
        cli.terminal.out(takesFile ? FILES : NO_FILES);
        return EXIT.done;
      }),
    );
};

/** Directives of the cobra protocol, which the scripts use. */
const FILES = ":0";
const NO_FILES = ":4";

/**
 * From the bindings file on the command line; an invalid file gives no candidates. Published bindings would take
 * credentials, which may need a login, calls to STS and CloudFormation, and up to 1,024 parts from S3: a shell waits for
 * that at each Tab. A cache could show the names of another account or of an older generation.
 */
function namesOf(cli: Cli, words: readonly string[]): KnownNames {
  return async (kind) => {
    const { loadBindingsFile } = await import("../bindings-file.ts");
    const at = words.findIndex((word) => word === "--bindings" || word === "-b");
    const file = (at >= 0 ? words[at + 1] : undefined) ?? (cli.env.BINDINGS_FILE || "bindings.yaml");
    try {
      const { clusters, bindings } = await loadBindingsFile(cli, file);
      if (kind === "cluster") return Object.keys(clusters);
      const targets = bindings.map(({ target: { namespace, name } }) => `${namespace}/${name}`);
      return [...new Set([...targets, ...bindings.flatMap(({ sources }) => sources.map(({ id }) => id))])];
    } catch {
      return [];
    }
  };
}
