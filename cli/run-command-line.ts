import { Command, CommanderError } from "commander";
import { type Cli, commandLine } from "./cli.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { suggestCommand } from "./suggest-command.ts";
import { VERSION } from "./version.ts";

/** Runs the command with the arguments after its name, and reads nothing from the process itself. */
export async function runCommandLine(args: readonly string[], cli: Cli): Promise<ExitCode> {
  const line = commandLine(cli);
  const { terminal } = cli;
  const program = new Command("secret-relay")
    .description("Keeps Kubernetes Secrets on EKS in sync with their sources in AWS Secrets Manager.")
    .version(VERSION, "-v, --version")
    .enablePositionalOptions() // so that `status -v` does not print the version
    .showHelpAfterError("(add --help to see the arguments and options)")
    .configureHelp({ helpWidth: Math.min(terminal.width, 110), sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(terminal.paintMessage("red", text)),
    })
    .exitOverride()
    .addHelpText("after", "\nExit code: 0 done, 1 something failed, 2 the command line or a file is wrong.");
  for (const add of COMMANDS) add(program, line);
  program.command("version", { hidden: true }).action(() => terminal.out(VERSION));
  try {
    await program.parseAsync([...args], { from: "user" });
    return line.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message. For --help and --version its exit code is 0.
    if (error.exitCode === 0) return EXIT.done;
    const [, unknown = ""] = /^error: unknown (?:option|command) '([^']+)'/.exec(error.message) ?? [];
    const suggestion = suggestCommand(args, unknown);
    if (suggestion !== undefined) {
      const { words, note } = suggestion;
      terminal.say(`${note === "" ? "" : `${note} `}Try: secret-relay ${words.join(" ")}`);
    }
    return EXIT.usage;
  }
}
