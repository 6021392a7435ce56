import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import { bundleOptions, type FUNCTIONS } from "../../scripts/bundle.ts";

export type BuiltFunction = {
  readonly folder: string;
  /** handler.mjs, as it is deployed. */
  readonly handlerFile: string;
  remove(): Promise<void>;
};

type FunctionName = (typeof FUNCTIONS)[number];

export const buildRotation = (): Promise<BuiltFunction> => buildFunction("rotation");

/** A function as `npm run build` makes it, in a folder of its own and without bindings. */
export async function buildFunction(name: FunctionName): Promise<BuiltFunction> {
  const folder = await mkdtemp(join(tmpdir(), "relay-built-"));
  await cp(join(await buildOnce(name), BUILT), folder, { recursive: true });
  return {
    folder,
    handlerFile: join(folder, "handler.mjs"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** esbuild's metafile of the same build. */
export async function metafileOf(name: FunctionName): Promise<Metafile> {
  return JSON.parse(readFileSync(join(await buildOnce(name), METAFILE), "utf8"));
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/eks-secret-relay");
const BUILT = "built";
const METAFILE = "metafile.json";

/** A build takes about a second and nine test files need one, so it is cached until its sources change. */
async function buildOnce(name: FunctionName): Promise<string> {
  const finished = join(CACHE, `${name}-${hashOfSources()}`);
  if (existsSync(finished)) return finished;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "unfinished-"));
  const { metafile } = await build({ ...bundleOptions(name, join(folder, BUILT)), logLevel: "silent" });
  await writeFile(join(folder, METAFILE), JSON.stringify(metafile));
  // Another worker may finish first, with an equal build.
  await rename(folder, finished).catch(() => rm(folder, { recursive: true }));
  return finished;
}

/** The installed packages match the lockfile: `npm ci` comes before the tests. */
function hashOfSources(): string {
  const hash = createHash("sha256");
  const files = globSync(
    ["{functions,shared,scripts}/**/*.{ts,json}", "package-lock.json", "tsconfig.json"],
    { cwd: ROOT },
  );
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
