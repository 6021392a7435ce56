#!/usr/bin/env node
// The command. A checkout runs its TypeScript as it stands; the published package holds one bundle made from it, since
// Node strips no types below node_modules.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const isCheckout = existsSync(new URL("../cli/main.ts", import.meta.url));
const [major] = process.versions.node.split(".").map(Number);
const own = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (major >= 24) {
  // Without the cache, Node strips the types of 130 files before it prints the help.
  if (isCheckout)
    nodeModule.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)));
  if (isCheckout && !existsSync(new URL("../node_modules/commander", import.meta.url))) {
    process.stderr.write('The packages of this clone are not installed. Run "npm ci" in it first.\n');
    process.exitCode = 2;
  } else await import(isCheckout ? "../cli/main.ts" : "../dist/cli/main.mjs");
} else if (existsSync(own)) {
  // A checkout has its own Node 24 beside it, after `npm ci`.
  const { status } = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} else {
  const remedy = isCheckout ? ' Run "npm ci" in this clone: it installs Node 24.' : "";
  process.stderr.write(`secret-relay needs Node 24 or later; this is ${process.version}.${remedy}\n`);
  process.exitCode = 2;
}
