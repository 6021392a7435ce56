// Builds each function into dist/<function>/: handler.mjs, its chunks, the compiled bindings, and the licence notices of
// the bundled packages.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import { RelayError } from "../shared/relay-error.ts";
import { bundleOptions, FUNCTIONS } from "./bundle.ts";
import { bundledPackages, NOTICES_FILE, printNotices } from "./third-party-notices.ts";

const { values } = parseArgs({ options: { bindings: { type: "string", default: "bindings.yaml" } } });

try {
  const compiled = loadBindings(await readFile(values.bindings, "utf8"), values.bindings);
  await rm("dist", { recursive: true, force: true });
  for (const name of FUNCTIONS) {
    const outdir = `dist/${name}`;
    await mkdir(outdir, { recursive: true });
    const { metafile } = await build(bundleOptions(name, outdir));
    await writeFile(`${outdir}/bindings.json`, JSON.stringify(compiled));
    await writeFile(`${outdir}/${NOTICES_FILE}`, printNotices(bundledPackages(metafile)));
    const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
    process.stderr.write(
      `${outdir}: ${(bytes / 1000).toFixed(0)} kB in ${Object.keys(metafile.outputs).length} file(s)\n`,
    );
  }
  process.stderr.write(`${compiled.bindings.length} binding(s) from ${values.bindings}\n`);
} catch (error) {
  if (!(error instanceof RelayError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
