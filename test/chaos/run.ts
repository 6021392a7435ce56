// Runs both functions for simulated hours under all kinds of faults, and checks the result.
//
//   npm run chaos -- [--seed N] [--seeds K] [--minutes M] [--rotations N] [--bindings N] [--clusters N]
//                    [--backend sandbox|real] [--mutation NAME] [--trace FILE] [--json]
//
// On the sandbox time is virtual: 60 minutes with 500 rotations take some 20 s, and the same seed gives the same run.
// Build the real servers once (npm run test:real does it); a minute there takes a minute. Exit 1: a
// promise was broken, and the command that replays it is printed. Exit 2: the command line is wrong.
import { openSync, writeSync } from "node:fs";
import { readOptions, UsageError, usage } from "./options.ts";
import { printCounts, printResult, replayCommand, summarize } from "./print-result.ts";
import { runSeeds } from "./run-seeds.ts";

try {
  const { settings, seeds, asJson, traceFile } = readOptions(process.argv.slice(2));
  const traced = traceFile === undefined ? undefined : openSync(traceFile, "w");
  const trace = traced === undefined ? undefined : (line: string) => void writeSync(traced, line);
  const results = [];
  for await (const result of runSeeds(settings, seeds, trace)) {
    results.push(result);
    if (!asJson) process.stdout.write(printResult(result));
    if (!result.ok) process.stderr.write(`replay: ${replayCommand({ ...settings, seed: result.seed })}\n`);
  }
  const summary = summarize(settings, results);
  process.stdout.write(asJson ? `${JSON.stringify(summary)}\n` : printCounts(summary.total));
  process.exitCode = summary.ok ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage()}`);
  process.exitCode = 2;
}
