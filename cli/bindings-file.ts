import path from "node:path";
import { Option } from "commander";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { readCompiledBindings } from "../shared/bindings/read-compiled-bindings.ts";
import type { Cli } from "./cli.ts";
import { checkReadable } from "./files.ts";

export const bindingsOption = (): Option =>
  new Option("-b, --bindings <file>", "the bindings, as YAML or as compiled JSON")
    .env("BINDINGS_FILE")
    .default("bindings.yaml");

/** Throws BindingsError with every mistake in the file, BindingsUnreadable, or UsageError if there is no such file. */
export async function loadBindingsFile(cli: Pick<Cli, "cwd">, file: string): Promise<CompiledBindings> {
  const resolved = path.resolve(cli.cwd, file);
  await checkReadable(resolved, "Create it with: secret-relay init. Or select another: --bindings FILE");
  return readCompiledBindings(resolved);
}
