import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleOptions } from "../../scripts/bundle.ts";

export type BuiltReconcile = {
  /** handler.mjs, as it is deployed. */
  readonly handlerFile: string;
  remove(): Promise<void>;
};

/** The reconcile function as `npm run build` makes it, in a folder of its own and without bindings. */
export async function buildReconcile(): Promise<BuiltReconcile> {
  const folder = await mkdtemp(join(tmpdir(), "relay-reconcile-"));
  await build(bundleOptions("reconcile", folder));
  return {
    handlerFile: join(folder, "handler.mjs"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
