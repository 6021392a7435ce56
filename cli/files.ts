import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Cli } from "./cli.ts";
import { UsageError } from "./errors.ts";

/** Reads a file of the command line; `-` is stdin. */
export async function readInputFile(cli: Pick<Cli, "cwd" | "readStdin">, file: string): Promise<string> {
  if (file === "-") return cli.readStdin();
  try {
    return await readFile(path.resolve(cli.cwd, file), "utf8");
  } catch {
    throw new UsageError(`${file} cannot be read. Check the path and its permissions.`);
  }
}

export async function writeOutputFile({ cwd }: Pick<Cli, "cwd">, file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), text);
  } catch {
    throw new UsageError(`${file} cannot be written. Check that its folder exists and is writable.`);
  }
}
