// Runs a bench and records its result in bench/results/, with the command, the date and the machine. Use a quiet machine.
//
//   npx node scripts/record-bench.ts <file> <bench> [options]
//
// Then update the docs: npx node scripts/generate-performance-docs.ts
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const [file, ...args] = process.argv.slice(2);
if (file === undefined || !/^[a-z0-9-]+$/.test(file) || args.length === 0) {
  process.stderr.write("Usage: npx node scripts/record-bench.ts <file> <bench> [options]\n");
  process.exit(2);
}
const run = fileURLToPath(new URL("../bench/run.ts", import.meta.url));
const result = JSON.parse(
  execFileSync(process.execPath, [run, ...args, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  }),
) as object;
const memoryGB = Math.round(totalmem() / 1024 ** 3);
const recorded = {
  command: `npm run bench -- ${args.join(" ")}`,
  day: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown processor"}, ${memoryGB} GB`,
  result,
};
const folder = fileURLToPath(new URL("../bench/results/", import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}${file}.json`, `${JSON.stringify(recorded, null, 2)}\n`);
