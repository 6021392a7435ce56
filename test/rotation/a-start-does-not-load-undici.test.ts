import { expect, it } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { metafileOf } from "../harness/build-function.ts";
import { outputsAtStart } from "./outputs-at-start.ts";

/** Node fills an import of node:http with every export of it, and some of those are its own undici: 20 to 40 ms. */
const LOADS_UNDICI = /^(node:)?http$|undici/;

it.each(FUNCTIONS)("%s imports neither undici nor node:http when it starts", async (name) => {
  const metafile = await metafileOf(name);
  const imported = outputsAtStart(metafile).flatMap((path) => metafile.outputs[path]?.imports ?? []);
  const atStart = imported.filter(({ kind }) => kind === "import-statement").map(({ path }) => path);

  expect(atStart).toContain("node:https");
  expect(atStart.filter((path) => LOADS_UNDICI.test(path))).toEqual([]);
});
