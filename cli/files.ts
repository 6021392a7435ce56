import { constants } from "node:fs";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Cli } from "./cli.ts";
import { UsageError } from "./errors.ts";

/** Reads a file of the command line; `-` is stdin. `advice` is for a file that does not exist. */
export async function readInputFile(
  cli: Pick<Cli, "cwd" | "readStdin">,
  file: string,
  advice = "Check the path",
): Promise<string> {
  if (file === "-") return cli.readStdin();
  const resolved = path.resolve(cli.cwd, file);
  const problem = await findFileProblem(resolved, advice);
  if (problem !== undefined) throw new UsageError(`${resolved} ${problem.is}. ${problem.fix}.`);
  return readFile(resolved, "utf8");
}

/** Why a file cannot be read. */
export async function findFileProblem(
  file: string,
  advice: string,
): Promise<{ readonly is: string; readonly fix: string } | undefined> {
  try {
    if ((await stat(file)).isDirectory()) return { is: "is a folder", fix: "Name a file in it" };
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isAbsent
      ? { is: "does not exist", fix: advice }
      : { is: "cannot be read", fix: "Check its permissions" };
  }
}

export async function writeOutputFile({ cwd }: Pick<Cli, "cwd">, file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), text);
  } catch {
    throw new UsageError(`${file} cannot be written. Check that its folder exists and is writable.`);
  }
}
