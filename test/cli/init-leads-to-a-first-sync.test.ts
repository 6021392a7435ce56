import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { suggestSecretName } from "../../cli/init/init-files.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);
let desk: Desk;
let source: TestSource;

beforeEach(async () => {
  desk = openDesk(used.backend);
  source = await at.scene.createSource("prod/db", '{"password":"canary-7f3a9c1e-first"}');
});
afterEach(async () => {
  desk.close();
  await at.scene.deleteSource(source);
});
const bind = () => ["--bind", `prod/db=${at.scene.namespace}/db`];

describe("secret-relay init", () => {
  it("writes both files by flags, finds the cluster, and the first sync works", async () => {
    const { exitCode, stderr } = await desk.run("init", ...bind());
    const synced = await desk.run("sync", "--all");

    expect([exitCode, synced.exitCode]).toEqual([0, 0]);
    expect(stderr).toContain("secret-relay rbac | kubectl apply -f -");
    expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-first" });
    expect(desk.read("samconfig.toml")).toContain(
      '"SecretArns=arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????"',
    );
    expect(desk.read("samconfig.toml")).toContain('"AccessEntryClusterName=sandbox"');
    expect((await desk.run("validate")).exitCode).toBe(0);
  });

  it("overwrites nothing without --force, except the example", async () => {
    desk.write("bindings.yaml", "mine");
    const refused = await desk.run("init", ...bind());
    expect([refused.exitCode, desk.read("bindings.yaml")]).toEqual([2, "mine"]);
    expect(existsSync(join(desk.folder, "samconfig.toml"))).toBe(false);

    desk.write("bindings.yaml", "# This is an example: replace it with your own clusters and bindings.");
    expect((await desk.run("init", ...bind())).exitCode).toBe(0);
    expect((await desk.run("init", ...bind())).exitCode).toBe(2);
    expect((await desk.run("init", ...bind(), "--force")).exitCode).toBe(0);
  });

  it("without a terminal names the missing options and the wrong ones", async () => {
    expect((await desk.run("init")).stderr).toContain("--bind SOURCE=NAMESPACE/NAME");
    expect((await desk.run("init", "--bind", "prod/db")).stderr).toContain(
      "prod/db is not SOURCE=NAMESPACE/NAME",
    );
    expect(existsSync(join(desk.folder, "bindings.yaml"))).toBe(false);
  });
});

it.each([
  ["prod/db", "db"],
  ["Prod/My_Secret!", "my-secret"],
  ["///", "secret"],
])("for %s the suggested Secret name is %s", (name, want) => expect(suggestSecretName(name)).toBe(want));
