import { execFile } from "node:child_process";
import { join } from "node:path";
import type { ChaosSummary } from "../../chaos/print-result.ts";

export type ChaosRun = { readonly code: number; readonly summary: ChaosSummary; readonly errors: string };

/** `npm run chaos` in a child process. */
export function runChaos(args: readonly string[]): Promise<ChaosRun> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, "../../chaos/run.ts");
    const options = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [script, ...args, "--json"], options, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : 0;
      if (code > 1 || stdout === "") reject(new Error(`chaos ended with ${code}:\n${stderr.slice(-2_000)}`));
      else resolve({ code, summary: JSON.parse(stdout) as ChaosSummary, errors: stderr });
    });
  });
}
