import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../harness/command-line.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// Without -b and BINDINGS_FILE, a command works on what the stack has published. The folder has another bindings.yaml,
// so that a command that reads it is noticed.

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const VALUE = '{"password":"canary-7f3a9c1e-first"}';

let desk: Desk;
let bucket: string;
let source: TestSource;
let unhook: (() => void)[];

const sandboxAws = () => used.backend.sandbox.aws;
const secret = (name = "db") => `${at.scene.namespace}/${name}`;
const bind = (...names: string[]) =>
  desk.writeBindings([
    { source: "prod/db", targets: names.map((name) => ({ namespace: at.scene.namespace, name })) },
  ]);
const publish = () => desk.run("publish", "--yes", "--ignore-permissions");
const deploy = (name = "secret-relay") =>
  sandboxAws().addStack(name, { BindingsBucketName: bucket }, { SecretNamePrefix: "prod/" });

beforeEach(async () => {
  desk = openDesk(used.backend, { worksOn: "published" });
  unhook = [];
  bucket = `bindings-${at.scene.namespace}`;
  sandboxAws().addBucket(bucket, { versioned: true });
  deploy();
  source = await at.scene.createSource("prod/db", VALUE);
  bind("db");
  await publish();
  bind("db", "of-the-file");
});
afterEach(async () => {
  for (const remove of unhook) remove();
  sandboxAws().faults.clear();
  desk.close();
  await at.scene.deleteSource(source);
});

const namesIn = (json: unknown) =>
  (json as { targets: { name: string }[] }).targets.map(({ name }) => name).toSorted();

describe("without a named file", () => {
  it.each([
    ["plan"],
    ["status"],
    ["sync", "--all"],
    ["sweep"],
    ["sweep", "--plan"],
    ["doctor"],
    ["hold", "--all", "--for", "1h"],
    ["claim"],
  ])("%s works on the published bindings", async (...words) => {
    const { json, stderr } = await desk.runJson(...words);

    expect(namesIn(json)).toEqual(["db"]);
    expect(stderr).not.toContain("bindings.yaml");
  });

  it("trigger looks into the published clusters", async () => {
    const { stderr } = await desk.run("trigger", secret());

    expect(stderr).toContain("No cluster of the bindings has externalSecrets.");
  });

  it("redrive explains messages by the published bindings", async () => {
    const { exitCode, stderr } = await desk.run("redrive");

    expect(stderr).toContain("has no such queue");
    expect(exitCode).toBe(2);
  });

  it.each(["-b", "--bindings"])("a file is used with %s", async (option) => {
    const { json } = await desk.runJson("plan", option, "bindings.yaml");

    expect(namesIn(json)).toEqual(["db", "of-the-file"]);
  });

  it("a file is used with BINDINGS_FILE", async () => {
    const other = openDesk(used.backend, { worksOn: "file" });
    other.write("bindings.yaml", desk.read("bindings.yaml"));

    expect(namesIn((await other.runJson("plan")).json)).toEqual(["db", "of-the-file"]);
    other.close();
  });

  it("another stack is selected by --stack-name", async () => {
    const { exitCode, json } = await desk.runJson("plan", "--stack-name", "elsewhere");

    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ error: { code: "STACK_NOT_FOUND" } });
    deploy("elsewhere");
    expect(namesIn((await desk.runJson("plan", "--stack-name", "elsewhere")).json)).toEqual(["db"]);
  });
});

describe("what prepares a publication works on bindings.yaml:", () => {
  it.each([["rbac"], ["iam", "--account", "111122223333", "--region", "eu-west-1"]])(
    "%s",
    async (...words) => {
      const ofFile = await desk.run(...words);
      bind("db");
      const ofOtherFile = await desk.run(...words);

      expect(ofFile.exitCode).toBe(0);
      if (words[0] === "rbac") expect(ofFile.stdout).toContain("of-the-file");
      expect(ofOtherFile.stdout).not.toContain("of-the-file");
    },
  );

  it("rbac and iam print for published bindings with --stack-name", async () => {
    const { stdout } = await desk.run("rbac", "--stack-name", "secret-relay");
    const iam = await desk.run("iam", "--stack-name", "secret-relay");

    expect(stdout).toContain("- db");
    expect(stdout).not.toContain("of-the-file");
    expect(iam.exitCode).toBe(0);
  });

  it("but not for a file and a stack at once", async () => {
    const { exitCode, stderr } = await desk.run(
      "rbac",
      "--stack-name",
      "secret-relay",
      "-b",
      "bindings.yaml",
    );

    expect(exitCode).toBe(2);
    expect(stderr).toContain("Use either --bindings or --stack-name.");
  });
});

describe("published bindings that cannot be read are not replaced by a file:", () => {
  it.each([
    { it: "no permission on the stack", match: { operation: "DescribeStacks" }, code: "STACK_FORBIDDEN" },
    { it: "no permission on the bucket", match: { service: "s3" as const }, code: "BUCKET_FORBIDDEN" },
  ])("$it", async ({ match, code }) => {
    sandboxAws().faults.add({ kind: "accessDenied", match });

    const { exitCode, stderr } = await desk.run("sync", "--all");

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${code}: `);
    expect(stderr).toContain("--bindings FILE");
    expect(await at.scene.readSecret("db")).toBeUndefined();
  });
});

describe("a command that writes by a file", () => {
  it.each([["sync", "--all"], ["sweep"], ["claim", "--yes"]])(
    "says if the file is not in force: %s",
    async (...words) => {
      const { stderr } = await desk.run(...words, "-b", "bindings.yaml");

      expect(stderr).toContain(
        "bindings.yaml differs from generation 1, which is in force. The functions follow that generation at the next rotation or sweep. To publish the file: secret-relay publish -b bindings.yaml",
      );
    },
  );

  it("says nothing if it is, and does not look if it changes nothing", async () => {
    bind("db");
    expect((await desk.run("sync", "--all", "-b", "bindings.yaml")).stderr).not.toContain("bindings.yaml");
    bind("db", "of-the-file");
    expect((await desk.run("plan", "-b", "bindings.yaml")).stderr).toBe("");
    expect((await desk.run("sweep", "--plan", "-b", "bindings.yaml")).stderr).toBe("");
  });

  it("goes on if it could not be compared, and says that this is unknown", async () => {
    sandboxAws().faults.add({ kind: "accessDenied", match: { operation: "DescribeStacks" } });

    const { exitCode, stderr } = await desk.run("sync", "--all", "-b", "bindings.yaml");

    expect(exitCode).toBe(0);
    expect(stderr).toContain("It is unknown whether bindings.yaml is in force (STACK_FORBIDDEN).");
  });
});

describe("the doctor", () => {
  it("shows the generation in force, and names its permissions in the command for RBAC", async () => {
    const { json } = await desk.runJson("doctor");

    expect(json).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({
          check: "bindings",
          status: "ok",
          says: "generation 1 is in force, with 1 Secret",
        }),
        expect.objectContaining({
          check: "rbac",
          fix: "secret-relay rbac --stack-name secret-relay | kubectl apply -f -",
        }),
      ]),
    });
  });

  it.each([
    {
      it: "nothing is published",
      prepare: () => {
        sandboxAws().addBucket(`empty-${at.scene.namespace}`, { versioned: true });
        sandboxAws().addStack("secret-relay", { BindingsBucketName: `empty-${at.scene.namespace}` });
      },
      code: "NOTHING_PUBLISHED",
    },
    {
      it: "the bucket may not be read",
      prepare: () => sandboxAws().faults.add({ kind: "accessDenied", match: { service: "s3" } }),
      code: "BUCKET_FORBIDDEN",
    },
  ])("reports that $it, and goes on with bindings.yaml", async ({ prepare, code }) => {
    prepare();

    const { exitCode, json } = await desk.runJson("doctor");

    expect(exitCode).toBe(1);
    expect(json).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ check: "bindings", status: "wrong", code })]),
    });
    expect(namesIn(json)).toEqual(["db", "of-the-file"]);
  });
});

it("a sync starts again when newer bindings are published before it ends", async () => {
  let published: Promise<unknown> | undefined;
  unhook.push(
    sandboxAws().before(({ operation }) => {
      if (operation !== "GetSecretValue" || published !== undefined) return;
      published = (async () => {
        bind("other");
        await publish();
      })();
      return published;
    }),
  );

  const { exitCode, json } = await desk.runJson("sync", "--all");

  expect(exitCode).toBe(0);
  expect(json).toMatchObject({ targets: [{ name: "other", outcome: "written" }] });
  expect(await at.scene.readData("other")).toEqual(JSON.parse(VALUE));
});
