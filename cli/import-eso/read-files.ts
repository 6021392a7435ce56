import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../errors.ts";
import { type Manifest, type ManifestProblem, type ReadManifests, readManifests } from "./manifest.ts";

/** The manifests of files and folders: of a folder all that end in .yaml, .yml or .json, however deep. */
export async function readManifestFiles(cwd: string, paths: readonly string[]): Promise<ReadManifests> {
  const files: string[] = [];
  for (const named of paths) files.push(...(await filesIn(cwd, named)));
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  for (const file of new Set(files)) {
    const text = await readFile(path.resolve(cwd, file), "utf8").catch(() => {
      throw new UsageError(`${file} cannot be read. Check its permissions.`);
    });
    const read = readManifests(file, text);
    manifests.push(...read.manifests);
    problems.push(...read.problems);
  }
  return { manifests, problems };
}

async function filesIn(cwd: string, named: string): Promise<string[]> {
  const found = await stat(path.resolve(cwd, named)).catch(() => {
    throw new UsageError(`${named} cannot be read. Check the path.`);
  });
  if (!found.isDirectory()) return [named];
  const names = await readdir(path.resolve(cwd, named), { recursive: true });
  return names
    .filter((name) => /\.(ya?ml|json)$/i.test(name))
    .filter((name) => !name.split(path.sep).some((part) => part === "node_modules" || part === ".git"))
    .sort()
    .map((name) => path.join(named, name));
}
