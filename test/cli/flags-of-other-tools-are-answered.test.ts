import { describe, expect, it } from "vitest";
import { runCli } from "../harness/run-cli.ts";

const NO_FILE = { cwd: "/", env: {} };

describe("what users of kubectl and terraform type", () => {
  it.each([
    ["status -n shop db", "status shop/db"],
    ["status --namespace shop db", "status shop/db"],
    ["status --namespace=shop db --json", "status shop/db --json"],
    ["plan -n shop", "plan"],
    ["sync shop/db -n shop", "sync shop/db"],
    ["status -A", "status"],
    ["plan --all-namespaces --json", "plan --json"],
    ["status -o json", "status --json"],
    ["plan -o yaml", "plan --json"],
    ["status -o=wide", "status --json"],
    ["doctor --output json", "doctor --json"],
    ["sync --all --dry-run", "plan"],
    ["sync shop/db --dry-run=server", "plan shop/db"],
    ["sweep --dry-run", "sweep --plan"],
    ["claim --dry-run", "claim"],
    ["plan -f other.yaml", "plan --bindings other.yaml"],
    ["validate -f other.yaml", "validate other.yaml"],
    ["sync --all -y", "sync --all"],
    ["sync --all -auto-approve", "sync --all"],
    ["status -v", "status --json"],
    ["status -v 6", "status --json"],
    ["status --version", "--version"],
    ["--context prod plan", "plan --context prod"],
    ["--region eu-west-1 status shop/db", "status shop/db --region eu-west-1"],
    ["--profile=prod sync --all", "sync --all --profile prod"],
    ["--kubeconfig file status", "status --kubeconfig file"],
    ["apply", "sync"],
    ["diff shop/db", "plan shop/db"],
    ["get", "status"],
    ["describe shop/db", "status shop/db"],
    ["import", "import-eso"],
  ])("is answered with a command that runs: %s", async (typed, wanted) => {
    const { exitCode, stderr } = await runCli(typed.split(" "), NO_FILE);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(new RegExp(`Try: secret-relay ${wanted}\n$`));

    const suggested = await runCli(wanted.split(" "), NO_FILE);
    expect(suggested.stderr).not.toMatch(/^error: /);
  });

  it.each([["--version"], ["-v"], ["version"]])("prints the version: %s", async (word) => {
    expect(await runCli([word])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([["help"], ["-h"], ["--help"]])("prints the help: %s", async (word) => {
    expect(await runCli([word])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Commands:") });
  });

  it.each([
    ["help", "sync"],
    ["sync", "-h"],
  ])("prints the help of a command: %s %s", async (...words) => {
    expect(await runCli(words)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("secret-relay sync"),
    });
  });
});
