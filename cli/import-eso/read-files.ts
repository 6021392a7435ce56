import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { readInputFile } from "../files.ts";
import { type Manifest, type ManifestProblem, type ReadManifests, readManifests } from "./manifest.ts";

/** Reads files, and in folders all .yaml, .yml and .json files at any depth. */
export async function readManifestFiles(
  cli: Pick<Cli, "cwd" | "readStdin">,
  paths: readonly string[],
): Promise<ReadManifests> {
  const files: string[] = [];
  for (const one of paths) files.push(...(await filesIn(cli.cwd, one)));
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  for (const file of new Set(files)) {
    const read = readManifests(file, await readInputFile(cli, file));
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
