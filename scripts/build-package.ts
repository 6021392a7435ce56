// Writes the package of the command into dist/package. The checkout itself is not published: with a `bin` in the
// package.json of the checkout, `npx secret-relay` reads all installed packages first, which takes half a second.
// Takes a second.
//
//   npm run package && npm pack ./dist/package
import { rm } from "node:fs/promises";
import { buildCommand } from "./build-command.ts";

const PACKAGE = "dist/package";

await rm(PACKAGE, { recursive: true, force: true });
await buildCommand(PACKAGE);
