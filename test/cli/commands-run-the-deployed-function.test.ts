import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import { startRelay, startSweeper, type TestRelay } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// `--via-lambda`: Lambda's Invoke, CloudFormation's outputs and the function's code on the sandbox, and a caller
// that can only invoke the function. moto runs functions in containers, so this does not run on moto.

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const VALUE = '{"password":"canary-7f3a9c1e-first"}';
const NEXT = '{"password":"canary-7f3a9c1e-second"}';

let desk: Desk;
let source: TestSource;
let relay: TestRelay;

beforeEach(async () => {
  const { aws } = used.backend.sandbox;
  desk = openDesk(used.backend);
  source = await at.scene.createSource("prod/db", VALUE);
  const bindings = [{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "db" }] }];
  desk.writeBindings(bindings);
  await at.scene.grant(["db"]);
  relay = await startRelay(used.backend, { bindings });
  aws.addFunction("relay-rotation-1A2B", (input) => relay.invoke(input));
  aws.addStack("secret-relay", { RotationFunctionName: "relay-rotation-1A2B" });
});
afterEach(async () => {
  desk.close();
  await at.scene.deleteSource(source);
});

const secret = (): string => `${at.scene.namespace}/db`;

it("finds the function by the stack's outputs, and shows the Secret before and after", async () => {
  await desk.run("sync", secret(), "--via-lambda");
  const { versionId } = await at.scene.rotate(source, NEXT);

  const { exitCode, json } = await desk.runJson("sync", secret(), "--via-lambda");

  expect(json).toMatchObject({
    ok: true,
    targets: [
      {
        outcome: "written",
        before: { versionId: source.versionId },
        after: { versionId },
        currentVersionId: versionId,
        stale: false,
      },
    ],
  });
  expect(exitCode).toBe(0);
  expect(await at.scene.readData("db")).toEqual(JSON.parse(NEXT));
});

it("needs no permission in the cluster: unobserved targets are unknown, and the function's report decides", async () => {
  desk.write("kubeconfig", adminKubeconfig(used.backend, { token: "of-nobody" }));

  const { exitCode, json } = await desk.runJson("sync", "prod/db", "--via-lambda");

  expect(exitCode).toBe(0);
  const unknown = { unknown: "CLUSTER_TOKEN_REFUSED" };
  expect(json).toMatchObject({
    ok: true,
    targets: [{ outcome: "written", before: unknown, after: unknown, currentVersionId: source.versionId }],
  });
});

it("needs no bindings either, given the name of a source", async () => {
  const folder = openDesk(used.backend, { worksOn: "published" });

  const { exitCode, json } = await folder.runJson("sync", "prod/db", "--via-lambda");

  expect(json).toMatchObject({
    ok: true,
    targets: [{ outcome: "written", before: { unknown: "NOT_OBSERVED" }, stale: false }],
  });
  expect(exitCode).toBe(0);
  folder.close();
});

describe("ends with 1, and says what to do,", () => {
  it("when the function has different bindings", async () => {
    desk.writeBindings([
      {
        source: "prod/db",
        targets: [
          { namespace: at.scene.namespace, name: "db" },
          { namespace: "n", name: "new" },
        ],
      },
    ]);

    const { exitCode, json } = await desk.runJson("sync", "prod/db", "--via-lambda");

    expect(exitCode).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      targets: [{ outcome: "written" }, { outcome: "failed", code: "NOT_BOUND_AS_DEPLOYED", stale: true }],
    });
  });

  it("when the function fails, with only the codes of its error message", async () => {
    used.backend.sandbox.aws.addFunction("relay-rotation-1A2B", () => {
      const words = "1 of 1 target(s) could not be written now: CLUSTER_UNAVAILABLE, quoting a body.";
      throw Object.assign(new Error(words), { name: "SyncIncomplete" });
    });

    const { exitCode, stdout, stderr } = await desk.run("sync", "prod/db", "--via-lambda");

    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "FUNCTION_FAILED: relay-rotation-1A2B failed (SyncIncomplete, CLUSTER_UNAVAILABLE)",
    );
    expect(stdout + stderr).not.toContain("quoting");
  });

  it.each([
    {
      it: "the stack does not exist",
      words: ["--stack-name", "elsewhere"],
      code: "STACK_NOT_FOUND",
      next: "--stack-name",
    },
    {
      it: "the function does not exist",
      words: ["--function", "nobody"],
      code: "FUNCTION_NOT_FOUND",
      next: "--region",
    },
  ])("when $it", async ({ words, code, next }) => {
    const { exitCode, stderr } = await desk.run("sync", "prod/db", "--via-lambda", ...words);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(code);
    expect(stderr).toContain(next);
  });

  it.each([
    { operation: "DescribeStacks", code: "STACK_FORBIDDEN", next: "--function NAME" },
    { operation: "Invoke", code: "FUNCTION_FORBIDDEN", next: "without --via-lambda" },
  ])("when $operation is not allowed", async ({ operation, code, next }) => {
    const { aws } = used.backend.sandbox;
    const fault = aws.faults.add({ kind: "accessDenied", match: { operation } });

    const { exitCode, stderr } = await desk.run("sync", "prod/db", "--via-lambda");
    fault.remove();

    expect(exitCode).toBe(1);
    expect(stderr).toContain(code);
    expect(stderr).toContain(next);
  });
});

describe("a sweep", () => {
  const deploySweep = async () => {
    const { aws } = used.backend.sandbox;
    const bindings = [{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "db" }] }];
    const sweeper = await startSweeper(used.backend, { bindings });
    aws.addFunction("relay-reconcile-3C4D", (input) => sweeper.sweep(input));
    aws.addStack("secret-relay", { ReconcileFunctionName: "relay-reconcile-3C4D" });
  };

  it("is run by the function, without local bindings or kubeconfig, and its report is shown", async () => {
    await deploySweep();
    const folder = openDesk(used.backend);

    const planned = await folder.run("sweep", "--via-lambda", "--plan");
    const swept = await folder.runJson("sweep", "--via-lambda", "--inventory");

    expect(planned.exitCode).toBe(1);
    expect(planned.stdout).toMatch(new RegExp(`main/${secret()} +MISSING +create`));
    expect(swept.exitCode).toBe(0);
    expect(swept.json).toMatchObject({
      targets: [{ name: "db", finding: "MISSING", action: "create", outcome: "written" }],
    });
    expect(await at.scene.readData("db")).toEqual(JSON.parse(VALUE));
    folder.close();
  });

  it("is refused if the function returns no report", async () => {
    used.backend.sandbox.aws.addFunction("another", () => ({ targets: ["quoted"] }));

    const { exitCode, stdout, stderr } = await desk.run("sweep", "--function", "another");

    expect(exitCode).toBe(1);
    expect(stderr).toContain("ANSWER_IS_NO_REPORT");
    expect(stdout + stderr).not.toContain("quoted");
  });
});
