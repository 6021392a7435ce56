// Explores every state of the fence's model in each scope, and prints their number and the time taken.
//
//   node test/chaos/model/run.ts [--protocol "fence off"]
//
// It takes some 15 s. Exit 1: a violation is reachable, and the shortest path to it is printed.
import { parseArgs } from "node:util";
import { explore } from "./explore.ts";
import { IMMUTABLE_SCOPES, LARGE_SCOPES, RULES_SCOPES, SCOPES } from "./scopes.ts";
import type { Protocol } from "./state.ts";

const { values } = parseArgs({ options: { protocol: { type: "string", default: "as it is" } } });
let isFine = true;
for (const [name, scope] of Object.entries({
  ...SCOPES,
  ...RULES_SCOPES,
  ...IMMUTABLE_SCOPES,
  ...LARGE_SCOPES,
})) {
  const startedAt = performance.now();
  const { states, transitions, depth, counterexamples } = explore(scope, values.protocol as Protocol);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${name}: ${states} states, ${transitions} transitions, depth ${depth}, ${seconds} s`);
  for (const [violation, trace] of counterexamples) {
    isFine = false;
    console.log(`  ${violation.toUpperCase()}`);
    for (const [at, step] of trace.entries()) console.log(`    ${String(at + 1).padStart(2)}. ${step}`);
  }
}
process.exitCode = isFine ? 0 : 1;
