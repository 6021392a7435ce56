import { text } from "node:stream/consumers";
import { waitFor } from "../shared/runtime/retry.ts";
import { runCommandLine } from "./run-command-line.ts";
import { processTerminal } from "./terminal/terminal.ts";

// The reader may close the pipe early: `secret-relay schema | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  terminal: processTerminal(process),
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  wait: waitFor,
  readStdin: () => text(process.stdin),
});
