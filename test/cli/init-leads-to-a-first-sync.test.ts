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

  it("writes a samconfig.toml that needs no further question: Region, stack, rights to make roles, and parameters", async () => {
    await desk.run("init", ...bind());
    expect(desk.read("samconfig.toml")).toBe(`# For sam deploy. All parameters: docs/reference.md
version = 0.1

[default.validate.parameters]
lint = true

[default.deploy.parameters]
# With another name, the commands need --stack-name.
stack_name = "secret-relay"
region = "eu-west-1"
# SAM uploads the functions into a bucket that it makes once in each Region.
resolve_s3 = true
# The stack makes IAM roles and policies, without names of their own.
capabilities = "CAPABILITY_IAM"
# Shows the changes and makes them. With true, it asks first.
confirm_changeset = false
# A value with spaces needs quotes of its own: SAM cuts it at the first space otherwise.
parameter_overrides = [
  # The name of the relay in the clusters. bindings.yaml has the same one.
  "RelayName=secret-relay",
  # The secrets that the functions may read. After a change of bindings: secret-relay iam --parameters
  "SecretArns=arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????",
  # All secrets whose names begin so. A further one then needs no deployment.
  # "SecretNamePrefix=prod/",
  # The clusters that the functions look up.
  "ClusterArns=arn:aws:eks:eu-west-1:111122223333:cluster/sandbox",
  # The cluster that gets the access entries of the functions. For others: docs/deploy.md, Access to a cluster.
  "AccessEntryClusterName=sandbox",
  # How often a sweep looks for missed events. Change both, the second in seconds.
  "MetadataSweepSchedule='rate(5 minutes)'",
  "SweepPeriodSeconds=300",
  # How often a sweep compares the values themselves.
  "ValuesSweepSchedule='rate(1 day)'",
  # The SNS topic that the alarms notify. Without it they are visible in CloudWatch only.
  # "AlarmTopicArn=arn:aws:sns:eu-west-1:111122223333:TOPIC",
]
`);
  });

  it("with --prefix, allows all secrets below it, so that a further one needs no deployment", async () => {
    await desk.run("init", ...bind(), "--prefix", "prod/");
    const parameters = desk.read("samconfig.toml");
    expect(parameters).toContain('\n  "SecretNamePrefix=prod/",\n');
    expect(parameters).not.toContain("SecretArns");
  });

  it("writes only samconfig.toml for a bindings.yaml of the operator's own, with its relay, sources and roles", async () => {
    const roleArn = "arn:aws:iam::444455556666:role/relay";
    const binding = { source: "team/a", targets: [{ namespace: "shop", name: "a" }] };
    const mine = JSON.stringify({
      version: 1,
      relay: "ours",
      clusters: {
        far: { name: "far", region: "eu-west-1", roleArn },
        near: { name: "near", region: "eu-west-1" },
      },
      defaults: { cluster: "near" },
      bindings: [binding],
    });
    desk.write("bindings.yaml", mine);
    const { exitCode, stdout } = await desk.run("init");
    const samconfig = desk.read("samconfig.toml");

    expect([exitCode, desk.read("bindings.yaml")]).toEqual([0, mine]);
    expect(stdout).toContain("Wrote samconfig.toml for your bindings.yaml.");
    for (const item of ["RelayName=ours", "AccessEntryClusterName=near", `ClusterRoleArns=${roleArn}`]) {
      expect(samconfig).toContain(`\n  "${item}",\n`);
    }
    expect(samconfig).toContain(":secret:team/a-??????");

    const again = await desk.run("init");
    expect([again.exitCode, again.stderr]).toEqual([
      2,
      expect.stringContaining("samconfig.toml already exists"),
    ]);
    expect(desk.read("samconfig.toml")).toBe(samconfig);
  });

  it("with --canary, binds a canary below the prefix with its rights, and says how to create and use it", async () => {
    const { stdout, stderr } = await desk.run("init", ...bind(), "--prefix", "prod/", "--canary");
    expect(stdout).toContain("1 Secret(s) and the canary in sandbox");
    expect(stderr).toContain(
      `aws secretsmanager create-secret --name prod/secret-relay/canary --secret-string '{"verify":"new"}'`,
    );
    expect(stderr).toContain("secret-relay verify");
    expect((await desk.run("rbac")).stdout).toContain("secret-relay-canary");

    const canary = await at.scene.createSource("prod/secret-relay/canary", '{"verify":"new"}');
    const again = await desk.run("init", ...bind(), "--canary", "--force");
    expect(again.stderr).toContain("create-secret --name secret-relay/canary");
    expect((await desk.run("iam")).stdout).toContain(":secret:secret-relay/canary-??????");
    const below = await desk.run("init", ...bind(), "--prefix", "prod/", "--canary", "--force");
    expect(below.stderr).not.toContain("create-secret");
    const synced = await desk.run("sync", `${at.scene.namespace}/secret-relay-canary`);
    expect(synced.exitCode).toBe(0);
    await at.scene.deleteSource(canary);

    const { exitCode, stderr: refused } = await desk.run("init", "--canary");
    expect({ exitCode, refused }).toEqual({
      exitCode: 2,
      refused: expect.stringContaining("add the canary to it"),
    });
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
