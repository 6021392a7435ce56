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
type Options = ReturnType<typeof bundleOptions>;

export const buildRotation = (change?: (options: Options) => Options): Promise<BuiltFunction> =>
  buildFunction("rotation", change);

/** A function as `npm run build` makes it, in a folder of its own and without bindings. */
export async function buildFunction(
  name: FunctionName,
  change?: (options: Options) => Options,
): Promise<BuiltFunction> {
  const folder = await mkdtemp(join(tmpdir(), "relay-built-"));
  if (change) await build(change(bundleOptions(name, folder)));
  else await cp(join(await buildOnce(name), BUILT), folder, { recursive: true });
  return {
    folder,
    handlerFile: join(folder, "handler.mjs"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What esbuild says of the same build. */
export async function metafileOf(name: FunctionName): Promise<Metafile> {
  return JSON.parse(readFileSync(join(await buildOnce(name), METAFILE), "utf8"));
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/eks-secret-relay");
const BUILT = "built";
const METAFILE = "metafile.json";

/** A build takes about a second and nine test files need one, so it is kept for as long as its sources are the same. */
async function buildOnce(name: FunctionName): Promise<string> {
  const finished = join(CACHE, `${name}-${hashOfSources()}`);
  if (existsSync(finished)) return finished;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "unfinished-"));
  const { metafile } = await build({ ...bundleOptions(name, join(folder, BUILT)), logLevel: "silent" });
  await writeFile(join(folder, METAFILE), JSON.stringify(metafile));
  // Another worker can be first. Its build is the same.
  await rename(folder, finished).catch(() => rm(folder, { recursive: true }));
  return finished;
}

/** The installed packages are those of the lockfile: `npm ci` comes before the tests. */
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
