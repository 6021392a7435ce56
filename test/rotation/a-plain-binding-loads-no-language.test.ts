import { build } from "esbuild";
import { expect, it } from "vitest";
import { bundleOptions, FUNCTIONS } from "../../scripts/bundle.ts";

it.each(FUNCTIONS)("%s reads neither JMESPath nor LiquidJS nor type checks when it starts", async (name) => {
  const { metafile } = await build({ ...bundleOptions(name, "dist/never-written"), write: false });
  const { outputs } = metafile;
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.startsWith("functions/"));

  const atStart = new Set<string>();
  const follow = (path: string): void => {
    if (atStart.has(path)) return;
    atStart.add(path);
    for (const { kind, path: next } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && next in outputs) follow(next);
    }
  };
  follow(entry ?? "");
  const inputsOf = (paths: Iterable<string>) =>
    [...paths].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  const isLazy = (input: string) =>
    /liquidjs|\/jmespath\/|shared\/expressions|check-type|compose-data/.test(input);

  expect(inputsOf(atStart).length).toBeGreaterThan(50);
  expect(inputsOf(atStart).filter(isLazy)).toEqual([]);
  expect(inputsOf(Object.keys(outputs)).filter(isLazy).length).toBeGreaterThan(5);
});
