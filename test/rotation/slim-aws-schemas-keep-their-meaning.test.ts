import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { slimAwsSdk } from "../../scripts/slim-aws-sdk.ts";

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

/** A schema refers to others by functions, and to errors by classes. */
const print = (schema: unknown) =>
  JSON.stringify(schema, (_key, value) => (typeof value === "function" ? `${value}` : value));

it.each(["eks", "lambda", "secrets-manager", "sqs", "sts"])(
  "the schemas of %s are the same with the plugin",
  async (client) => {
    const plain = await load(client, join(folder, `${client}-plain.mjs`), []);
    const slim = await load(client, join(folder, `${client}-slim.mjs`), [slimAwsSdk]);

    expect(Object.keys(plain).length).toBeGreaterThan(10);
    expect(Object.keys(slim)).toEqual(Object.keys(plain));
    for (const [name, schema] of Object.entries(plain))
      expect([name, print(slim[name])]).toEqual([name, print(schema)]);
  },
);
