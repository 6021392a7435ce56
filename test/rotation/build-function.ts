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

type Options = ReturnType<typeof bundleOptions>;

export const buildRotation = (change?: (options: Options) => Options): Promise<BuiltFunction> =>
  buildFunction("rotation", change);

/** A function as `npm run build` makes it, in a folder of its own and without bindings. Takes about a second. */
export async function buildFunction(
  name: (typeof FUNCTIONS)[number],
  change = (options: Options) => options,
): Promise<BuiltFunction> {
  const folder = await mkdtemp(join(tmpdir(), "relay-built-"));
  await build(change(bundleOptions(name, folder)));
  return {
    folder,
    handlerFile: join(folder, "handler.mjs"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
