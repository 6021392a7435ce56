import type { Command } from "commander";
import { explainError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What every command works with. */
export type Cli = {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths on the command line are relative to this. */
  readonly cwd: string;
  readonly now: () => number;
  /** All of stdin, for a file that is called `-`. */
  readonly readStdin: () => Promise<string>;
};

/** Adds one command, with its options and its help, to the program. */
export type AddCommand = (program: Command, cli: CommandLine) => void;

export type CommandLine = Cli & {
  /**
   * Wraps what a command does. It prints its result itself and returns the exit code; an error that it throws is
   * explained on stderr, and on stdout as `{"ok":false,"error":{…}}` when --json was given.
   */
  runs<Args extends readonly unknown[]>(
    action: (...args: Args) => Promise<ExitCode>,
  ): (...args: Args) => Promise<void>;
};

/** A command line whose exit code can be asked for once it has run. */
export function commandLine(cli: Cli): CommandLine & { exitCode(): ExitCode } {
  let exitCode: ExitCode = EXIT.done;
  return {
    ...cli,
    exitCode: () => exitCode,
    runs:
      (action) =>
      async (...args) => {
        try {
          exitCode = await action(...args);
        } catch (error) {
          const { code, message, exitCode: failed } = explainError(error);
          exitCode = failed;
          const { terminal } = cli;
          terminal.say(`${terminal.paintMessage("red", code)}: ${message}`);
          if (wantsJson(args)) terminal.out(JSON.stringify({ ok: false, error: { code, message } }));
        }
      },
  };
}

/** Commander hands over the arguments, then the options, then the command. */
function wantsJson(args: readonly unknown[]): boolean {
  const command = args.at(-1) as Command | undefined;
  return command?.optsWithGlobals?.().json === true;
}
