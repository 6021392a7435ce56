import { expect, it } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { metafileOf } from "../harness/build-function.ts";
import { outputsAtStart } from "./outputs-at-start.ts";

it.each(FUNCTIONS)("%s reads neither JMESPath nor LiquidJS nor type checks when it starts", async (name) => {
  const metafile = await metafileOf(name);
  const { outputs } = metafile;
  const inputsOf = (paths: readonly string[]) =>
    paths.flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  const isLazy = (input: string) =>
    /liquidjs|\/jmespath\/|bindings\/expressions\/(?!json-tree)|check-type|compose-data/.test(input);
  const atStart = inputsOf(outputsAtStart(metafile));

  expect(atStart.length).toBeGreaterThan(50);
  expect(atStart.filter(isLazy)).toEqual([]);
  expect(inputsOf(Object.keys(outputs)).filter(isLazy).length).toBeGreaterThan(5);
});
