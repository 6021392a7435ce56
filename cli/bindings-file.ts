import path from "node:path";
import { Option } from "commander";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { readCompiledBindings } from "../shared/bindings/read-compiled-bindings.ts";
import type { Cli } from "./cli.ts";

export const bindingsOption = (): Option =>
  new Option("-b, --bindings <file>", "the bindings, as YAML or as compiled JSON")
    .env("BINDINGS_FILE")
    .default("bindings.yaml");

/** Throws BindingsError with every mistake in the file, or BindingsUnreadable. */
export function loadBindingsFile(cli: Pick<Cli, "cwd">, file: string): Promise<CompiledBindings> {
  return readCompiledBindings(path.resolve(cli.cwd, file));
}
