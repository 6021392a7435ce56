import { runCommandLine } from "../../cli/run-command-line.ts";
import type { Terminal } from "../../cli/terminal/terminal.ts";
import { type Wait, waitFor } from "../../shared/runtime/retry.ts";

export type CliRun = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** Runs the command in this process, as with no terminal attached. */
export async function runCli(
  words: readonly string[],
  {
    env = {},
    cwd = process.cwd(),
    now = Date.now,
    wait = waitFor,
    stdin = "",
  }: { env?: NodeJS.ProcessEnv; cwd?: string; now?: () => number; wait?: Wait; stdin?: string } = {},
): Promise<CliRun> {
  let stdout = "";
  let stderr = "";
  const exitCode = await runCommandLine(words, {
    env,
    cwd,
    now,
    wait,
    readStdin: async () => stdin,
    terminal: {
      ...quietTerminal(),
      out: (text) => {
        stdout += `${text}\n`;
      },
      say: (text) => {
        stderr += `${text}\n`;
      },
    },
  });
  return { exitCode, stdout, stderr };
}

/** Shows nothing and cannot ask. */
export const quietTerminal = (): Terminal => ({
  out: () => {},
  say: () => {},
  paint: (_, text) => text,
  paintMessage: (_, text) => text,
  width: 100,
  showsProgress: false,
  progress: () => {},
  clear: () => {},
  canAsk: false,
});
