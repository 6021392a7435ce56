// Writes the package of the command into dist/package. The checkout itself is not published: with a `bin` in the
// package.json of the checkout, `npx secret-relay` reads all installed packages first, which takes half a second.
//
//   npm run package && npm pack ./dist/package
//
// The command is bundled, since Node does not strip types in node_modules. Dependencies stay external, so that npm
// installs them and audits see them. Takes a second.
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import packageJson from "../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = path.join(ROOT, "dist", "package");

/** What users read or start from. */
const FILES = [
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "SECURITY.md",
  "template.yaml",
  "webhook-url.yaml",
  "monitoring.yaml",
  "bindings.yaml",
];

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

await rm(PACKAGE, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: "cli/main.ts" },
  outdir: path.join(PACKAGE, "dist", "cli"),
  bundle: true,
  splitting: true,
  packages: "external",
  plugins: [inlineAssets],
  format: "esm",
  platform: "node",
  target: "node24",
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunks/[name]-[hash]",
  absWorkingDir: ROOT,
  metafile: true,
});

const imported = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ path: name, external }) => external === true && !isBuiltin(name))
  .map(({ path: name }) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
const versions: Readonly<Record<string, string>> = packageJson.dependencies;
const { name, version, description, license, keywords, type, engines } = packageJson;
const contents = {
  name,
  version,
  description,
  license,
  keywords,
  type,
  bin: { "secret-relay": "bin/secret-relay.mjs" },
  engines,
  dependencies: Object.fromEntries([...new Set(imported)].sort().map((one) => [one, versions[one]])),
};
await writeFile(path.join(PACKAGE, "package.json"), `${JSON.stringify(contents, null, 2)}\n`);
for (const file of [...FILES, "bin/secret-relay.mjs"])
  await cp(path.join(ROOT, file), path.join(PACKAGE, file));
