import type { Command } from "commander";
import type { Wait } from "../shared/runtime/retry.ts";
import { explainError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The environment of a command. */
export type Cli = {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths on the command line are relative to this. */
  readonly cwd: string;
  readonly now: () => number;
  readonly wait: Wait;
  /** Reads all of stdin, for a file named `-`. */
  readonly readStdin: () => Promise<string>;
};

/** Adds one command, with its options and its help, to the program. */
export type AddCommand = (program: Command, cli: CommandLine) => void;

export type CommandLine = Cli & {
  /**
   * Wraps the action of a command. The action prints its result and returns the exit code. An error that it throws is
   * explained on stderr and, with --json, on stdout as `{"ok":false,"error":{…}}`.
   */
  runs<Args extends readonly unknown[]>(
    action: (...args: Args) => Promise<ExitCode>,
  ): (...args: Args) => Promise<void>;
};

/** A command line that keeps the exit code of the command that ran. */
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

/** Prints a result, as one JSON object or as text, and returns the exit code that follows from `ok`. */
export function finish(
  { terminal }: Pick<Cli, "terminal">,
  { json }: { readonly json?: boolean },
  result: { readonly ok: boolean } & Readonly<Record<string, unknown>>,
  printText: () => void,
): ExitCode {
  if (json === true) terminal.out(JSON.stringify(result));
  else printText();
  return result.ok ? EXIT.done : EXIT.failed;
}

/** Commander passes the arguments, then the options, then the command. */
function wantsJson(args: readonly unknown[]): boolean {
  const command = args.at(-1) as Command | undefined;
  return command?.optsWithGlobals?.().json === true;
}
