import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { slimAwsSdk } from "../../scripts/slim-aws-sdk.ts";
import { slimJmespath } from "../../scripts/slim-jmespath.ts";
import type * as Jmespath from "../../shared/expressions/jmespath.ts";
import { metafileOf } from "./build-function.ts";

/** A byte costs time at a cold start. The sweep has the shard queue and deletions besides; no event waits for its start. */
const BYTES_MAX = { rotation: 700_000, reconcile: 725_000, webhook: 700_000 } as const;

describe.each(FUNCTIONS)("the bundle of %s", (name) => {
  it(`has at most ${BYTES_MAX[name] / 1_000} kB, with all that is loaded late`, async () => {
    const { outputs } = await metafileOf(name);
    const bytes = Object.values(outputs).map((output) => output.bytes);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(BYTES_MAX[name]);
  });
});

describe("schemas of the AWS SDK", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "relay-schemas-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const load = async (client: string, outfile: string, plugins: (typeof slimAwsSdk)[]) => {
    const entry = `node_modules/@aws-sdk/client-${client}/dist-es/schemas/schemas_0.js`;
    await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", plugins });
    return (await import(pathToFileURL(outfile).href)) as Record<string, unknown>;
  };
  /** A schema names others by functions, and errors by classes. */
  const told = (schema: unknown) =>
    JSON.stringify(schema, (_key, value) => (typeof value === "function" ? `${value}` : value));

  it.each(["eks", "lambda", "secrets-manager", "sqs", "sts"])(
    "of %s mean the same after what esbuild can't read is written out",
    async (client) => {
      const plain = await load(client, join(folder, `${client}-plain.mjs`), []);
      const slim = await load(client, join(folder, `${client}-slim.mjs`), [slimAwsSdk]);

      expect(Object.keys(plain).length).toBeGreaterThan(10);
      expect(Object.keys(slim)).toEqual(Object.keys(plain));
      for (const [name, schema] of Object.entries(plain))
        expect([name, told(slim[name])]).toEqual([name, told(schema)]);
    },
  );
});

it("JMESPath finds all of its functions after the library's own are left out", async () => {
  const outfile = join(await mkdtemp(join(tmpdir(), "relay-jmespath-")), "jmespath.mjs");
  onTestFinished(() => rm(dirname(outfile), { recursive: true }));
  const entryPoints = ["shared/expressions/jmespath.ts"];
  await build({
    entryPoints,
    outfile,
    plugins: [slimJmespath],
    bundle: true,
    format: "esm",
    platform: "node",
  });
  const { evaluateExpression } = (await import(pathToFileURL(outfile).href)) as typeof Jmespath;

  const text = await readFile(outfile, "utf8");
  expect(text).not.toContain("localeCompare"); // the library's sort
  for (const [expression, value] of [
    ["sort(@)", ["a", "b"]],
    ["not_null(none, to_string(length(@)))", "2"],
    ["map(&@, @) | max_by(@, &@)", "b"],
  ]) {
    expect(evaluateExpression(expression as string, ["b", "a"])).toEqual({ kind: "found", value });
  }
  expect(evaluateExpression("max(@)", ["b", 1])).toMatchObject({ kind: "failed" });
});
