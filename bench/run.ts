// Measures the numbers of README.md and docs/internals/performance.md. Prints a table, or one object with --json.
//
//   npm run bench -- rotation|burst|sweep|rollouts|publication|publish|cold-start|bundle|aws [--backend sandbox|real] [--json]
//
// `--backend real` needs the servers that `npm run test:real` builds. A run takes up to half a minute,
// one of `rollouts` with stuck ones some minutes.
// `npm run --silent bench -- …` keeps npm's own two lines off stdout.
import { parseArgs } from "node:util";
import { aws } from "./aws.ts";
import type { BackendName, Bench, BenchOptions, BenchResult } from "./bench.ts";
import { bundle } from "./bundle.ts";
import { burst } from "./burst.ts";
import { coldStart } from "./cold-start.ts";
import { publication } from "./publication.ts";
import { publish } from "./publish.ts";
import { rollouts } from "./rollouts.ts";
import { rotation } from "./rotation.ts";
import { sweep } from "./sweep.ts";

const BENCHES: ReadonlyMap<string, Bench> = new Map([
  ["rotation", rotation],
  ["bundle", bundle],
  ["burst", burst],
  ["cold-start", coldStart],
  ["publish", publish],
  ["sweep", sweep],
  ["rollouts", rollouts],
  ["publication", publication],
  ["aws", aws],
]);

const COUNT_MAX = 100_000;

class UsageError extends Error {}

try {
  const { name, bench, options, asJson } = parseCommandLine(process.argv.slice(2));
  const result = await bench.run(options);
  process.stdout.write(asJson ? `${JSON.stringify(result)}\n` : table(name, result));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage()}`);
  process.exitCode = 2;
}

function parseCommandLine(args: readonly string[]): {
  name: string;
  bench: Bench;
  options: BenchOptions;
  asJson: boolean;
} {
  const [name = "", ...rest] = args;
  const bench = BENCHES.get(name);
  if (bench === undefined) throw new UsageError(name === "" ? "Specify a bench." : `Unknown bench: ${name}.`);
  const { backend, json, ...values } = parseOptions(name, bench, rest);
  if (backend !== "sandbox" && backend !== "real") throw new UsageError("--backend must be sandbox or real.");
  const counts = Object.entries(bench.counts).map(([option, { fallback }]): [string, number] => {
    const text = values[option];
    return [option, text === undefined ? fallback : parseCount(option, String(text))];
  });
  return {
    name,
    bench,
    options: { backend: backend satisfies BackendName, counts: Object.fromEntries(counts) },
    asJson: json === true,
  };
}

function parseOptions(
  name: string,
  bench: Bench,
  args: readonly string[],
): Record<string, string | boolean | undefined> {
  const text = { type: "string" } as const;
  const options = {
    json: { type: "boolean" as const },
    ...(bench.hasBackend && { backend: text }),
    ...Object.fromEntries(Object.keys(bench.counts).map((option) => [option, text])),
  };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    return { backend: "sandbox", ...values };
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

function parseCount(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= COUNT_MAX) return value;
  throw new UsageError(`--${option} must be a whole number from 1 to ${COUNT_MAX}.`);
}

function usage(): string {
  const lines = [...BENCHES].flatMap(([name, { summary, hasBackend, counts }]) => [
    `  ${name.padEnd(12)} ${summary}`,
    ...(hasBackend ? ["      --backend sandbox|real (sandbox)"] : []),
    ...Object.entries(counts).map(
      ([option, { meaning, fallback }]) => `      --${option} N  ${meaning} (${fallback})`,
    ),
  ]);
  return `Usage: npm run bench -- <name> [options] [--json]\n\n${lines.join("\n")}\n`;
}

function table(name: string, result: BenchResult): string {
  const rows = Object.entries(result).map(([key, value]): [string, string] => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  const width = Math.max(...rows.map(([key]) => key.length));
  return `${name}\n${rows.map(([key, value]) => `  ${key.padEnd(width)}  ${value}\n`).join("")}`;
}
