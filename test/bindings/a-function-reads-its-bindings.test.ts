import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { readCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import { withBindings } from "./bindings-text.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const EXAMPLE = path.join(ROOT, "bindings.yaml");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bindings-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

const compiled = () =>
  loadBindings(
    withBindings("  - { source: prod/db, targets: [{ namespace: shop, name: db }], keys: [__proto__] }\n"),
    "b",
  );

it("reads compiled JSON", async () => {
  const file = await fileOf("good.json", JSON.stringify(compiled()));

  expect(await readCompiledBindings(file)).toEqual(compiled());
});

it.each(["bindings.yaml", "bindings.yml"])("reads a handwritten %s", async (name) => {
  const file = await fileOf(name, await readFile(EXAMPLE, "utf8"));

  const { bindings } = await readCompiledBindings(file);

  expect(bindings.map(({ target }) => `${target.namespace}/${target.name}`)).toEqual([
    "shop/db",
    "reports/shop-db",
    "shop/cache-env",
    "shop/shop-tls",
    "shop/license",
  ]);
});

it("reports a mistake in a YAML file under the name of that file", async () => {
  const file = await fileOf("wrong.yaml", "version: 2\n");

  await expect(readCompiledBindings(file)).rejects.toThrow(BindingsError);
  await expect(readCompiledBindings(file)).rejects.toThrow(`${file}:1:10: version:`);
});

describe("rejects, with advice:", () => {
  const changed = (change: (binding: Record<string, unknown>) => void): string => {
    const all = JSON.parse(JSON.stringify(compiled()));
    change(all.bindings[0]);
    return JSON.stringify(all);
  };
  it.each([
    ["text that is not JSON", "version: 1\n"],
    ["half a file", JSON.stringify(compiled()).slice(0, 100)],
    ["null", "null"],
    ["a list", "[]"],
    ["another version", JSON.stringify({ ...compiled(), version: 2 })],
    ["a file without bindings", '{"version":1,"clusters":{}}'],
    ["bindings as YAML has them", '{"version":1,"clusters":{},"bindings":[{"source":"prod/db"}]}'],
    [
      "an undefined cluster",
      changed((binding) => Object.assign(binding.target as object, { cluster: "toString" })),
    ],
    ["a binding without a fingerprint", changed((binding) => delete binding.fingerprint)],
  ])("%s", async (name, text) => {
    const file = await fileOf(`${name.replaceAll(" ", "-")}.json`, text);

    await expect(readCompiledBindings(file)).rejects.toMatchObject({
      code: "BINDINGS_UNREADABLE",
      retryable: false,
      message: expect.stringMatching(
        /\.json is .*\. Use the YAML file, or what `secret-relay bindings show` prints\./,
      ),
    });
  });

  it("a missing file", async () => {
    await expect(readCompiledBindings(path.join(folder, "none.json"))).rejects.toMatchObject({
      code: "BINDINGS_UNREADABLE",
      message: expect.stringContaining("cannot be read. Check BINDINGS_FILE"),
    });
  });
});

it("reads JSON without loading a YAML parser or a JSON validator", async () => {
  const file = await fileOf("cold.json", JSON.stringify(compiled()));
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { readCompiledBindings } = await import("./shared/bindings/read-compiled-bindings.ts");
    const { createBindingIndex } = await import("./shared/bindings/binding-index.ts");
    createBindingIndex(await readCompiledBindings(${JSON.stringify(file)}), {});
    console.log(JSON.stringify(loaded));
  `;

  const loaded: string[] = JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: ROOT,
      encoding: "utf8",
    }),
  );

  expect(loaded.some((url) => url.endsWith("binding-index.ts"))).toBe(true);
  expect(loaded.filter((url) => url.includes("node_modules"))).toEqual([]);
});
