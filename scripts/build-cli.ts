// Bundles the command for the published package into dist/cli/main.mjs, since Node does not strip types in node_modules.
// Dependencies stay external, so that npm installs them and audits see them. Part of `npm pack`.
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** Inlines the files that a module reads from its own folder, since the bundle is in another one. */
const inlineAssets: Plugin = {
  name: "inline-assets",
  setup({ onLoad }) {
    onLoad({ filter: /\/cli\/report\/assets\.ts$/ }, async ({ path: file }) => {
      let contents = await readFile(file, "utf8");
      for (const [call, name = ""] of contents.matchAll(/readFileSync\(new URL\("([^"]+)".*?\), "utf8"\)/g)) {
        const text = await readFile(path.join(path.dirname(file), name), "utf8");
        contents = contents.replace(call, () => JSON.stringify(text));
      }
      return { contents, loader: "ts" };
    });
  },
};

await rm("dist/cli", { recursive: true, force: true });
await build({
  entryPoints: { main: "cli/main.ts" },
  outdir: "dist/cli",
  bundle: true,
  splitting: true,
  packages: "external",
  plugins: [inlineAssets],
  format: "esm",
  platform: "node",
  target: "node24",
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunks/[name]-[hash]",
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
});
