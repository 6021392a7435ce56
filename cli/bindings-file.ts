import path from "node:path";
import { Option } from "commander";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { BindingsUnreadable, readCompiledBindings } from "../shared/bindings/read-compiled-bindings.ts";
import type { Cli } from "./cli.ts";
import { findFileProblem } from "./files.ts";

export const BINDINGS_FILE = "bindings.yaml";

/** The bindings.yaml of the repository, which a command may overwrite. */
export const isExampleFile = (text: string): boolean =>
  text.includes("This is an example: replace it with your own");

/** For a command that works on a file, before it is published. */
export const bindingsOption = (): Option =>
  new Option("-b, --bindings <file>", "the bindings, as YAML or as compiled JSON")
    .env("BINDINGS_FILE")
    .default(BINDINGS_FILE)
    .argParser((file) => (file === "" ? BINDINGS_FILE : file)); // an empty variable counts as not set

/** For a command that works on the published bindings, unless a file is named. */
export const insteadOfPublishedOption = (): Option =>
  new Option(
    "-b, --bindings <file>",
    "the bindings of a file (or BINDINGS_FILE), instead of those that the stack has published",
  );

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
