#!/usr/bin/env node
// The command. A checkout runs its TypeScript as it stands; the published package holds one bundle made from it, since
// Node strips no types below node_modules.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const [major] = process.versions.node.split(".").map(Number);
const source = new URL("../cli/main.ts", import.meta.url);
const own = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (major >= 24) {
  const isCheckout = existsSync(source);
  // Without the cache, Node strips the types of 130 files before it prints the help.
  if (isCheckout)
    nodeModule.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)));
  await import(isCheckout ? source.href : "../dist/cli/main.mjs");
} else if (existsSync(own)) {
  // A checkout has its own Node 24 beside it, after `npm ci`.
  const { status } = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(`secret-relay needs Node 24 or later; this is ${process.version}.\n`);
  process.exitCode = 2;
}
