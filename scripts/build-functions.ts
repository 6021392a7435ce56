import { writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { bundleOptions, FUNCTIONS } from "./bundle.ts";
import { type BundledPackage, bundledPackages, NOTICES_FILE, printNotices } from "./third-party-notices.ts";

/**
 * Builds each function into a folder of its name: handler.mjs, its chunks, and the notices of the bundled packages. Returns
 * the packages that at least one function bundles.
 */
export async function buildFunctions(folder: string): Promise<BundledPackage[]> {
  const packages = new Map<string, BundledPackage>();
  for (const name of FUNCTIONS) {
    const outdir = `${folder}/${name}`;
    const { metafile } = await build(bundleOptions(name, outdir));
    const bundled = bundledPackages(metafile);
    await writeFile(`${outdir}/${NOTICES_FILE}`, printNotices(bundled));
    for (const one of bundled) packages.set(one.folder, one);
    const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
    process.stderr.write(
      `${outdir}: ${(bytes / 1000).toFixed(0)} kB in ${Object.keys(metafile.outputs).length} file(s)\n`,
    );
  }
  return [...packages.values()];
}
