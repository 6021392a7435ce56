// Bundles the command for the published package into dist/cli/main.mjs, since Node strips no types below node_modules.
// Packages stay outside: npm installs them, and whoever audits an installation sees each of them. Part of `npm pack`.
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await rm("dist/cli", { recursive: true, force: true });
await build({
  entryPoints: { main: "cli/main.ts" },
  outdir: "dist/cli",
  bundle: true,
  splitting: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node24",
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunks/[name]-[hash]",
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
});
