// Builds each function into dist/<function>/: handler.mjs, its chunks, and the licence notices of the bundled packages.
// The functions are the same bytes for everyone: they read their bindings from the stack's bucket.
import { rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { bundleOptions, FUNCTIONS } from "./bundle.ts";
import { bundledPackages, NOTICES_FILE, printNotices } from "./third-party-notices.ts";

if (process.argv.length > 2) {
  process.stderr.write(
    "The build takes no options. Put bindings in force with: npx secret-relay publish -b FILE\n",
  );
  process.exit(2);
}

await rm("dist", { recursive: true, force: true });
for (const name of FUNCTIONS) {
  const outdir = `dist/${name}`;
  const { metafile } = await build(bundleOptions(name, outdir));
  await writeFile(`${outdir}/${NOTICES_FILE}`, printNotices(bundledPackages(metafile)));
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  process.stderr.write(
    `${outdir}: ${(bytes / 1000).toFixed(0)} kB in ${Object.keys(metafile.outputs).length} file(s)\n`,
  );
}
