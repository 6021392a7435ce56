// Builds each function into dist/<function>/. The functions are the same bytes for everyone: they read their bindings
// from the stack's bucket.
import { rm } from "node:fs/promises";
import { buildFunctions } from "./build-functions.ts";

if (process.argv.length > 2) {
  process.stderr.write(
    "The build takes no options. Put bindings in force with: npx secret-relay publish -b FILE\n",
  );
  process.exit(2);
}

await rm("dist", { recursive: true, force: true });
await buildFunctions("dist");
