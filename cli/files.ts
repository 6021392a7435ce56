import { constants } from "node:fs";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Cli } from "./cli.ts";
import { UsageError } from "./errors.ts";

/** Reads a file of the command line; `-` is stdin. */
export async function readInputFile(
  cli: Pick<Cli, "cwd" | "readStdin">,
  file: string,
  advice = "Check the path.",
): Promise<string> {
  if (file === "-") return cli.readStdin();
  const resolved = path.resolve(cli.cwd, file);
  await checkReadable(resolved, advice);
  return readFile(resolved, "utf8");
}

/** Throws UsageError with the reason. `advice` is for a file that does not exist. */
export async function checkReadable(file: string, advice: string): Promise<void> {
  try {
    const isFolder = (await stat(file)).isDirectory();
    if (isFolder) throw new UsageError(`${file} is a folder. Name a file in it.`);
    await access(file, constants.R_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(
      isAbsent ? `${file} does not exist. ${advice}` : `${file} cannot be read. Check its permissions.`,
    );
  }
}

export async function writeOutputFile({ cwd }: Pick<Cli, "cwd">, file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), text);
  } catch {
    throw new UsageError(`${file} cannot be written. Check that its folder exists and is writable.`);
  }
}
