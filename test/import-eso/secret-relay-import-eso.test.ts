import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { runCli } from "../harness/run-cli.ts";
import { externalSecret, pick, store } from "./manifests.ts";

let folder: string;
const run = (...words: string[]) => runCli(["import-eso", ...words], { cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-import-"));
  mkdirSync(join(folder, "manifests/nested"), { recursive: true });
  writeFileSync(join(folder, "manifests/stores.yaml"), stringify(store()));
  const good = externalSecret({ data: [pick("password", { property: "password" })] });
  const bad = externalSecret({ dataFrom: [{ find: { name: { regexp: "x" } } }] }, { name: "found" });
  writeFileSync(join(folder, "manifests/nested/app.yml"), stringify(good));
  writeFileSync(join(folder, "manifests/nested/app.json"), JSON.stringify(bad));
  writeFileSync(join(folder, "manifests/README.md"), "not: a manifest");
  writeFileSync(join(folder, "good.yaml"), `${stringify(store())}---\n${stringify(good)}`);
  writeFileSync(join(folder, "helm.yaml"), "kind: ExternalSecret\nspec: {{ .Values.x }}\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("secret-relay import-eso", () => {
  it("prints bindings that validate accepts, and notes on stderr", async () => {
    const { exitCode, stdout, stderr } = await run("good.yaml");
    writeFileSync(join(folder, "made.yaml"), stdout);

    expect(exitCode).toBe(0);
    expect(stdout).toContain("# ExternalSecret shop/app (good.yaml)");
    expect(stderr).toContain("1 binding made, 0 not converted");
    expect((await runCli(["validate", "made.yaml"], { cwd: folder })).exitCode).toBe(0);
  });

  it("assumes the account of the functions only if --account does not name it", async () => {
    const [assumed, stated] = [await run("good.yaml"), await run("good.yaml", "--account", "111122223333")];

    expect(assumed.stderr).toContain("SAME_ACCOUNT");
    expect(stated).toMatchObject({ exitCode: 0, stdout: assumed.stdout });
    expect(stated.stderr).not.toContain("SAME_ACCOUNT");
  });

  it("reads folders, and ends with 1 if a field is unsupported, with location and reason", async () => {
    const { exitCode, stdout, stderr } = await run("manifests");

    expect(exitCode).toBe(1);
    expect(stdout).toContain("source: prod/db");
    expect(stderr).toContain("ExternalSecret shop/found (manifests/nested/app.json) is not converted");
    expect(stderr).toContain("spec.dataFrom[0].find: FIND: ");
  });

  it("prints everything as JSON", async () => {
    const { stdout } = await run("manifests", "--json");

    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      converted: [
        {
          file: "manifests/nested/app.yml",
          resource: "ExternalSecret shop/app",
          binding: {
            source: "prod/db",
            keys: { password: "password" },
            targets: [{ namespace: "shop", name: "app" }],
          },
          notes: expect.arrayContaining([
            { code: "NUMBER_SPELLING", kind: "value", text: expect.any(String) },
          ]),
        },
      ],
      notConverted: [
        {
          resource: "ExternalSecret shop/found",
          objections: [{ path: "spec.dataFrom[0].find", code: "FIND" }],
        },
      ],
      notRead: [],
    });
  });

  it("writes a file, and does not overwrite an existing one", async () => {
    expect((await run("good.yaml", "--out", "bindings.yaml", "--cluster-name", "prod-eks")).stdout).toBe("");
    expect(readFileSync(join(folder, "bindings.yaml"), "utf8")).toContain("name: prod-eks");
    expect(await run("good.yaml", "--out", "bindings.yaml")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--force"),
    });
    expect((await run("good.yaml", "--out", "bindings.yaml", "--force")).exitCode).toBe(0);
  });

  it("overwrites the example of the repository", async () => {
    copyFileSync(new URL("../../bindings.yaml", import.meta.url), join(folder, "example.yaml"));

    expect(await run("good.yaml", "--out", "example.yaml")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(readFileSync(join(folder, "example.yaml"), "utf8")).toContain("# ExternalSecret shop/app");
  });

  it.each([
    ["the bindings are empty", ["--check", "--bindings", "empty.yaml"]],
    ["no manifest was converted", ["found.yaml", "--check"]],
  ])("reports that nothing was compared and why, and ends with 1: %s", async (reason, words) => {
    const clusters = { prod: { name: "prod", region: "eu-west-1" } };
    writeFileSync(join(folder, "empty.yaml"), stringify({ version: 1, clusters, bindings: [] }));
    const found = externalSecret({ dataFrom: [{ find: { name: { regexp: "x" } } }] });
    writeFileSync(join(folder, "found.yaml"), `${stringify(store())}---\n${stringify(found)}`);

    const { exitCode, stderr } = await run(...words);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`Nothing was compared, because ${reason}.`);
  });

  it.each([[[]], [["--expand-find"]]])(
    "says why a search by name through a store with a prefix is refused, with %j",
    async (words) => {
      const found = externalSecret({ dataFrom: [{ find: { name: { regexp: "x" } } }] });
      writeFileSync(
        join(folder, "prefix.yaml"),
        `${stringify(store({ prefix: "team/" }))}---\n${stringify(found)}`,
      );

      const { exitCode, stderr } = await run("prefix.yaml", ...words);

      expect(exitCode).toBe(1);
      expect(stderr).toContain("find: FIND: the store has the prefix team/");
      expect(stderr).not.toContain("--expand-find");
    },
  );

  it("reports a file that is not YAML, and continues", async () => {
    const { exitCode, stdout, stderr } = await run("helm.yaml", "good.yaml");

    expect(exitCode).toBe(1);
    expect(stdout).toContain("source: prod/db");
    expect(stderr).toMatch(/helm\.yaml is not read: .*helm template/);
  });

  it.each([
    ["nothing to read", []],
    ["a missing path", ["none"]],
    ["no ExternalSecret in it", ["manifests/stores.yaml"]],
    ["paths and --live", ["good.yaml", "--live"]],
    ["bindings without --check", ["--bindings", "x.yaml"]],
    ["--expand-find without manifests", ["--check", "--bindings", "x.yaml", "--expand-find"]],
    ["an invalid account", ["good.yaml", "--account", "12"]],
  ])("ends with 2 and advice: %s", async (_, words) => {
    const { exitCode, stdout, stderr } = await run(...words);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^USAGE: /);
  });
});
