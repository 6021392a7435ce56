import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);

let desk: Desk;
beforeEach(() => {
  desk = openDesk(used.backend, { worksOn: "published" });
  desk.writeBindings([{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "db" }] }]);
});
afterEach(() => desk.close());

// In the order of an installation: no stack, one of an older template, one without a publication.
it.each([
  { deploy: () => {}, code: "STACK_NOT_FOUND", says: /^Stack secret-relay does not exist in \S+$/ },
  {
    deploy: () => used.backend.sandbox.aws.addStack("secret-relay", {}),
    code: "STACK_WITHOUT_BUCKET",
    says: /^Stack secret-relay has no bucket for bindings$/,
  },
  {
    deploy: () => {
      const { aws } = used.backend.sandbox;
      aws.addBucket("bindings", { versioned: true });
      aws.addStack("secret-relay", { BindingsBucketName: "bindings" });
    },
    code: "NOTHING_PUBLISHED",
    says: /^Stack secret-relay has not published any bindings$/,
  },
])("$code: bindings.yaml is used, and the command says so", async ({ deploy, code, says }) => {
  deploy();

  const { json, stderr } = await desk.runJson("status");

  const [reason = "", rest] = stderr.split(", so ");
  expect(reason).toMatch(says);
  expect(rest).toBe("bindings.yaml is used.\n");
  expect(json).toMatchObject({ targets: [{ name: "db" }] });

  rmSync(join(desk.folder, "bindings.yaml"));
  const without = await desk.runJson("status");
  expect(without.exitCode).toBe(1);
  expect(without.json).toMatchObject({ ok: false, error: { code } });
});

it("no file replaces the bindings of a stack that the command line names", async () => {
  const { exitCode, json } = await desk.runJson("status", "--stack-name", "elsewhere");

  expect(exitCode).toBe(1);
  expect(json).toMatchObject({ ok: false, error: { code: "STACK_NOT_FOUND" } });
});

it("an empty BINDINGS_FILE counts as not set", async () => {
  vi.stubEnv("BINDINGS_FILE", "");

  expect((await desk.run("validate")).exitCode).toBe(0);
});
