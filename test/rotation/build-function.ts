import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleOptions, type FUNCTIONS } from "../../scripts/bundle.ts";

export type BuiltFunction = {
  readonly folder: string;
  /** handler.mjs, as it is deployed. */
  readonly handlerFile: string;
  remove(): Promise<void>;
};

export const buildRotation = (): Promise<BuiltFunction> => buildFunction("rotation");

/** A function as `npm run build` makes it, in a folder of its own and without bindings. Takes about a second. */
export async function buildFunction(name: (typeof FUNCTIONS)[number]): Promise<BuiltFunction> {
  const folder = await mkdtemp(join(tmpdir(), "relay-built-"));
  await build(bundleOptions(name, folder));
  return {
    folder,
    handlerFile: join(folder, "handler.mjs"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
