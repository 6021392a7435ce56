// Runs every `check:…` script of package.json concurrently, and shows the output of each failed one. Takes about 45 s of
// processor time, half of it the compiler. To run one of them: npm run check:spelling
//
//   npm run check
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import packageJson from "../package.json" with { type: "json" };

const checks = Object.entries(packageJson.scripts).filter(([name]) => name.startsWith("check:"));

await Promise.all(checks.map(([name, command]) => run(name, command)));

async function run(name: string, command: string): Promise<void> {
  const startedAt = performance.now();
  // npm adds node_modules/.bin to PATH; 2>&1 keeps the lines of one check in order.
  const child = spawn("sh", ["-c", `exec 2>&1; ${command}`], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = await text(child.stdout);
  const ok = (await exited) === 0;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  if (!ok) process.exitCode = 1;
  process.stdout.write(`${ok ? "✓" : "✗"} ${name} (${seconds} s)\n${ok ? "" : `${output.trimEnd()}\n`}`);
}
