import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { runCli } from "../harness/run-cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the command line", () => {
  it("lists every command, on stdout, when asked for help", async () => {
    const { exitCode, stdout, stderr } = await runCli(["--help"]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain("validate");
    expect(stdout.match(/^ {2}[a-z-]+ /gm)?.length).toBeGreaterThanOrEqual(COMMANDS.length);
  });

  it.each([
    ["a command", ["validat"], "Did you mean validate?"],
    ["an option", ["validate", "--jsn"], "Did you mean --json?"],
  ])(
    "suggests the closest match for %s that does not exist, and ends with 2",
    async (_, words, suggestion) => {
      const { exitCode, stdout, stderr } = await runCli(words);
      expect(exitCode).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain(suggestion);
    },
  );

  it("prints its version", async () => {
    expect((await runCli(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("gives every command a summary and an example", async () => {
    const { stdout } = await runCli(["--help"]);
    const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name as string);
    for (const name of names.filter((known) => known !== "help")) {
      const help = await runCli([name, "--help"]);
      expect(help.exitCode, name).toBe(0);
      expect(help.stdout, name).toMatch(/Examples:|Commands:/);
    }
  });
});

describe("secret-relay validate", () => {
  it("reports a valid file", async () => {
    const { exitCode, stdout } = await runCli(["validate", "bindings.yaml", "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, clusters: 1 });
  });

  it("lists every mistake with its location on stderr, and ends with 2", async () => {
    writeFileSync(join(folder, "bad.yaml"), "version: 1\nclusters: {}\nbindings:\n  - sorce: a\n");
    const { exitCode, stdout, stderr } = await runCli(["validate", "bad.yaml"], { cwd: folder });
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/bad\.yaml:4:\d+: .*sorce/);
    const { stdout: json } = await runCli(["validate", "bad.yaml", "--json"], { cwd: folder });
    expect(JSON.parse(json).error.problems.length).toBeGreaterThan(1);
  });

  it("reports a missing file", async () => {
    const { exitCode, stderr } = await runCli(["validate", "none.yaml"], { cwd: folder });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("none.yaml does not exist");
  });
});

describe("secret-relay schema", () => {
  it.each(["bindings", "report"])("prints the schema of %s", async (file) => {
    const { exitCode, stdout } = await runCli(["schema", file]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty("$schema");
  });
});
