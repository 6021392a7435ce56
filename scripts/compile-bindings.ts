/**
 * Checks bindings.yaml and compiles it into the JSON that the functions read. It needs nothing but the file, and
 * takes well under a second for a few hundred bindings.
 *
 *   node scripts/compile-bindings.ts [bindings.yaml] [output.json]
 *
 * Without an output it only checks. Exit code 2 means that the file is wrong, and stderr says where.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { BindingsError } from "../shared/bindings/bindings-error.ts";
import { loadBindings } from "../shared/bindings/load-bindings.ts";

const [input = "bindings.yaml", output] = process.argv.slice(2);
process.exitCode = await compileBindings(input, output);

async function compileBindings(input: string, output: string | undefined): Promise<number> {
  let text: string;
  try {
    text = await readFile(input, "utf8");
  } catch {
    console.error(`${input} cannot be read. Name the bindings file as the first argument.`);
    return 2;
  }
  try {
    const compiled = loadBindings(text, input);
    if (output !== undefined) {
      await mkdir(path.dirname(output), { recursive: true });
      await writeFile(output, JSON.stringify(compiled));
    }
    console.error(`${input} is fine: ${compiled.bindings.length} Kubernetes Secrets`);
    return 0;
  } catch (error) {
    if (!(error instanceof BindingsError)) throw error;
    console.error(error.message);
    return 2;
  }
}
