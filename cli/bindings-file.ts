import { readFile } from "node:fs/promises";
import path from "node:path";
import { Option } from "commander";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { readCompiledBindings } from "../shared/bindings/read-compiled-bindings.ts";
import type { Cli } from "./cli.ts";
import { UsageError } from "./errors.ts";

/** `--bindings FILE`, for every command that reads them. */
export const bindingsOption = (): Option =>
  new Option("-b, --bindings <file>", "the bindings, as YAML or as compiled JSON")
    .env("BINDINGS_FILE")
    .default("bindings.yaml");

/** Reads and checks them, YAML or compiled. Throws BindingsError with everything that is wrong, or BindingsUnreadable. */
export function loadBindingsFile(cli: Pick<Cli, "cwd">, file: string): Promise<CompiledBindings> {
  return readCompiledBindings(path.resolve(cli.cwd, file));
}

/** A file that the command line names; `-` is stdin. */
export async function readInputFile(cli: Pick<Cli, "cwd" | "readStdin">, file: string): Promise<string> {
  if (file === "-") return cli.readStdin();
  try {
    return await readFile(path.resolve(cli.cwd, file), "utf8");
  } catch {
    throw new UsageError(`${file} cannot be read. Check the path.`);
  }
}
