import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { runCli } from "../harness/run-cli.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/cache-AbCdEf";
const BINDINGS = {
  version: 1,
  clusters: { blue: { name: "b", region: "eu-west-1" }, green: { name: "g", region: "eu-west-1" } },
  defaults: { namespace: "shop", cluster: "blue" },
  bindings: [
    { source: "prod/db", targets: [{ name: "db" }] },
    { source: ARN, targets: [{ name: "cache" }] },
  ],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-completion-"));
  writeFileSync(join(folder, "bindings.yaml"), JSON.stringify(BINDINGS));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const complete = async (...words: string[]) => {
  const { exitCode, stdout } = await runCli(["complete", "--", ...words], { cwd: folder });
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  return { values: lines.slice(0, -1).map((line) => line.split("\t")[0]), directive: lines.at(-1) };
};

describe("completion", () => {
  it("suggests every command except the hidden one", async () => {
    const { values } = await complete("");
    expect(values.length).toBeGreaterThanOrEqual(COMMANDS.length);
    expect(values).toEqual(expect.arrayContaining(["validate", "rbac", "events", "completion"]));
    expect(values).not.toContain("complete");
  });

  it.each([
    { it: "the rest of a command", words: ["va"], want: ["validate"] },
    { it: "a subcommand", words: ["events", ""], want: ["explain", "help"] },
    { it: "an option", words: ["rbac", "--gr"], want: ["--group"] },
    { it: "a valid value of an argument", words: ["schema", "r"], want: ["report"] },
    { it: "a valid value of an option", words: ["iam", "--for", ""], want: ["rotation", "reconcile"] },
    { it: "a valid value after an equals sign", words: ["iam", "--for=ro"], want: ["--for=rotation"] },
    { it: "a cluster of the bindings", words: ["rbac", "--json", "--cluster", ""], want: ["blue", "green"] },
    { it: "a bound Secret", words: ["sync", "shop/"], want: ["shop/db", "shop/cache"] },
    { it: "a source", words: ["sync", "arn"], want: [ARN] },
    { it: "nothing after an option that accepts any value", words: ["rbac", "--group", ""], want: [] },
  ])("suggests $it", async ({ words, want }) => expect((await complete(...words)).values).toEqual(want));

  it.each([
    { words: ["validate", ""], directive: ":0" },
    { words: ["rbac", "--bindings", ""], directive: ":0" },
    { words: ["rbac", "--group", ""], directive: ":4" },
  ])("lets the shell complete file names: $words", async ({ words, directive }) =>
    expect((await complete(...words)).directive).toBe(directive),
  );

  it("suggests nothing and prints no error if the bindings are invalid", async () => {
    const { values } = await complete("rbac", "--bindings", "none.yaml", "--cluster", "");
    expect(values).toEqual([]);
  });
});

describe("secret-relay completion bash", () => {
  const type = async (line: string): Promise<string[]> => {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const main = join(import.meta.dirname, "../../cli/main.ts");
    writeFileSync(join(bin, "secret-relay"), `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`);
    chmodSync(join(bin, "secret-relay"), 0o755);
    const script = `set -u; source <(secret-relay completion bash); COMP_LINE=$1 COMP_POINT=\${#1}; _secret_relay; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)("bash", ["-c", script, "bash", line], {
      cwd: folder,
      env: { PATH: `${bin}:${process.env.PATH}`, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    });
    return stdout.split("\n").filter((word) => word !== "");
  };

  it("completes in a real bash", async () => {
    expect(await type("secret-relay rbac --cluster ")).toEqual(["blue", "green"]);
    expect(await type("secret-relay ev")).toEqual(["events"]);
  });

  it("returns only the part after the last colon or equals sign, where bash splits words", async () => {
    expect(await type("secret-relay sync arn:aws:secretsmanager:eu-west-1:1111")).toEqual([
      "111122223333:secret:prod/cache-AbCdEf",
    ]);
    expect(await type("secret-relay iam --for=re")).toEqual(["reconcile"]);
  });

  it("does not execute the typed text", async () => {
    const trace = join(folder, "trace");
    await type(`secret-relay sync $(touch ${trace}) \`touch ${trace}\` `);
    expect((await promisify(execFile)("ls", [folder])).stdout).not.toContain("trace");
  });
});
