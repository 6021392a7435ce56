import { Command, CommanderError } from "commander";
import { type Cli, commandLine } from "./cli.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { VERSION } from "./version.ts";

/** One run of the command: the words after its name in, the exit code out. Nothing is read from the process itself. */
export async function runCommandLine(words: readonly string[], cli: Cli): Promise<ExitCode> {
  const line = commandLine(cli);
  const { terminal } = cli;
  const program = new Command("secret-relay")
    .description("Keeps Kubernetes Secrets on EKS equal to their sources in AWS Secrets Manager.")
    .version(VERSION)
    .showHelpAfterError("(add --help for what the command takes)")
    .configureHelp({ helpWidth: Math.min(terminal.width, 110), sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(terminal.paintMessage("red", text)),
    })
    .exitOverride()
    .addHelpText("after", `\nExit code: 0 done, 1 something failed, 2 the command line or a file is wrong.`);
  for (const add of COMMANDS) add(program, line);
  try {
    await program.parseAsync([...words], { from: "user" });
    return line.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its words. Asked for help or the version, it ends with 0.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}
