import path from "node:path";
import { Option } from "commander";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { BindingsUnreadable, readCompiledBindings } from "../shared/bindings/read-compiled-bindings.ts";
import type { Cli } from "./cli.ts";
import { findFileProblem } from "./files.ts";

export const bindingsOption = (): Option =>
  new Option("-b, --bindings <file>", "the bindings, as YAML or as compiled JSON")
    .env("BINDINGS_FILE")
    .default("bindings.yaml");

/** Throws BindingsError with every mistake in the file, or BindingsUnreadable. */
export async function loadBindingsFile(cli: Pick<Cli, "cwd">, file: string): Promise<CompiledBindings> {
  const resolved = path.resolve(cli.cwd, file);
  const problem = await findFileProblem(
    resolved,
    "Create it with secret-relay init, or select another: --bindings FILE",
  );
  if (problem !== undefined) throw new BindingsUnreadable(resolved, problem.is, problem.fix);
  return readCompiledBindings(resolved);
}
