import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// plan, status, doctor and sweep --plan must never contradict each other, for any fault of a Secret.

const used = useBackend(startSandboxBackend);
const at = useScene(used);

const VALUE = '{"user":"app","password":"canary-7f3a9c1e-first"}';
const base64 = (text: string) => Buffer.from(text).toString("base64");
const edit = (text: string) =>
  at.scene.patchSecret("db", { data: { password: base64(text) } }, "kubectl-edit");

type Row = Readonly<Record<string, unknown>>;

let desk: Desk;
let source: TestSource;

beforeEach(async () => {
  desk = openDesk(used.backend);
  source = await at.scene.createSource("prod/rows", VALUE);
  bind({});
  await desk.run("sync", "--all");
});
afterEach(async () => {
  desk.close();
  await at.scene.deleteSource(source).catch(() => {});
});

const secret = () => `${at.scene.namespace}/db`;

function bind(ofBinding: object): void {
  desk.writeBindings([
    { source: "prod/rows", targets: [{ namespace: at.scene.namespace, name: "db" }], ...ofBinding },
  ]);
}

const COMMANDS = [["plan"], ["status"], ["doctor"], ["sweep", "--plan"]] as const;

/** The row of `db` from each command: the same in all of them, or the test fails. */
async function rowOfAll(name = "db"): Promise<Row> {
  const rows: Row[] = [];
  for (const words of COMMANDS) {
    const { json } = await desk.runJson(...words);
    const { targets } = json as { targets: Row[] };
    const row = targets.find((each) => each.name === name);
    expect(row, words.join(" ")).toBeDefined();
    // Seconds pass between two commands.
    const { staleMs: _staleMs, deleteAfter, ...rest } = row ?? {};
    rows.push({ ...rest, ...(deleteAfter !== undefined && { deleteAfter: "later" }) });
  }
  const [first = {}] = rows;
  for (const row of rows) expect(row).toEqual(first);
  return first;
}

const exitOf = async (...words: string[]) => (await desk.run(...words)).exitCode;

describe("the row of", () => {
  it("a Secret in order", async () => {
    expect(await rowOfAll()).toEqual({
      cluster: "main",
      namespace: at.scene.namespace,
      name: "db",
      source: "prod/rows",
      finding: null,
      action: "none",
      observed: "metadata",
      versionId: source.versionId,
      writtenAt: expect.any(String),
      currentVersionId: source.versionId,
      sourceChangedAt: expect.any(String),
    });
    expect(await exitOf("status")).toBe(0);
  });

  it("an absent Secret", async () => {
    await at.scene.deleteSecret("db");
    expect(await rowOfAll()).toMatchObject({ finding: "MISSING", action: "create" });
    expect(await exitOf("status")).toBe(1);
  });

  it("a tampered Secret, with the manager that changed it, and the commands to revert or keep the change", async () => {
    await edit("canary-7f3a9c1e-edited");
    expect(await rowOfAll()).toMatchObject({
      finding: "TAMPERED",
      action: "update",
      fields: [{ field: "data.password", what: "changed", manager: "kubectl-edit", at: expect.any(String) }],
    });
    for (const words of [["plan"], ["status"], ["sweep", "--plan"], ["doctor"]]) {
      const { stdout } = await desk.run(...words);
      expect(stdout).toContain("data.password changed by kubectl-edit");
      expect(stdout).toContain(`secret-relay sync ${secret()}`);
      expect(stdout).toContain(`secret-relay hold ${secret()} --for 2h`);
    }
  });

  it("a held Secret, until it is released", async () => {
    await edit("canary-7f3a9c1e-edited");
    const held = await desk.runJson("hold", secret(), "--for", "2h");
    expect(held.exitCode).toBe(0);
    const { until } = held.json as { until: string };
    expect(await rowOfAll()).toMatchObject({ finding: "TAMPERED", action: "refuse", code: "HELD", until });
    expect((await desk.run("status")).stdout).toContain(`held until ${until}`);

    const synced = await desk.runJson("sync", secret());
    expect(synced.exitCode).toBe(1);
    expect(synced.json).toMatchObject({ targets: [{ outcome: "refused", code: "HELD", until }] });
    expect(await at.scene.readData("db")).toEqual({ user: "app", password: "canary-7f3a9c1e-edited" });

    expect(await exitOf("hold", secret(), "--release")).toBe(0);
    expect(await rowOfAll()).toMatchObject({ finding: "TAMPERED", action: "update" });
    expect(await exitOf("sync", secret())).toBe(0);
    expect(await at.scene.readData("db")).toEqual(JSON.parse(VALUE));
  });

  it("a contested Secret, with the other manager, until it is claimed", async () => {
    for (const round of [1, 2, 3]) {
      await edit(`canary-7f3a9c1e-${round}`);
      expect(await exitOf("sync", secret())).toBe(0);
    }
    await edit("canary-7f3a9c1e-4");
    expect(await rowOfAll()).toMatchObject({
      finding: "TAMPERED",
      action: "refuse",
      code: "CONTESTED",
      advice: expect.stringContaining("kubectl-edit"),
    });
    const synced = await desk.runJson("sync", secret());
    expect(synced.exitCode).toBe(1);
    expect(synced.json).toMatchObject({ targets: [{ outcome: "refused", code: "CONTESTED" }] });

    expect(await exitOf("claim", secret(), "--yes")).toBe(0);
    expect(await rowOfAll()).toMatchObject({ finding: null, action: "none" });
    expect(await at.scene.readData("db")).toEqual(JSON.parse(VALUE));
  });

  it("a Secret with a foreign key, which fails no command", async () => {
    await at.scene.patchSecret("db", { data: { extra: base64("canary-7f3a9c1e-extra") } }, "kubectl-edit");
    expect(await rowOfAll()).toMatchObject({
      finding: "FOREIGN_KEYS",
      action: "none",
      foreignKeys: [{ key: "extra", manager: "kubectl-edit" }],
    });
    const { exitCode, stdout } = await desk.run("status");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("key extra belongs to kubectl-edit");
    expect(await exitOf("plan", "--exit-code")).toBe(0);
  });

  it("a Secret that waits for deletion", async () => {
    bind({ deletionPolicy: "delete" });
    await desk.run("sync", "--all");
    await at.scene.deleteSource(source);
    expect(await rowOfAll()).toMatchObject({
      finding: "SOURCE_MISSING",
      action: "none",
      deleteAfter: "later",
    });
    expect((await desk.run("plan")).stdout).toContain("waits for deletion");
    expect(await exitOf("status")).toBe(1);
  });

  it("an orphan", async () => {
    desk.writeBindings([
      { source: "prod/rows", targets: [{ namespace: at.scene.namespace, name: "other" }] },
    ]);
    await desk.run("sync", "--all");
    expect(await rowOfAll()).toMatchObject({ finding: "ORPHAN", action: "none" });
    expect(await exitOf("status")).toBe(0);
  });

  it("a Secret that could not be read is unknown", async () => {
    desk.write("kubeconfig", adminKubeconfig(used.backend, { token: "refused" }));
    expect(await rowOfAll()).toMatchObject({
      finding: null,
      action: "unknown",
      code: "CLUSTER_TOKEN_REFUSED",
    });
    for (const words of COMMANDS) expect(await exitOf(...words)).toBe(1);
  });
});

it.each(["plan", "status", "sync --all", "sweep"])(
  "%s of no binding says so and ends with 1",
  async (words) => {
    desk.writeBindings([]);
    const { exitCode, stderr } = await desk.run(...words.split(" "));
    expect(stderr).toContain("NOTHING_SELECTED");
    expect(exitCode).toBe(1);
  },
);

it.each(["25h", "soon", "0s"])("hold --for %s is refused", async (duration) => {
  const { exitCode, stderr } = await desk.run("hold", secret(), "--for", duration);
  expect(stderr).toContain("--for must be between 1s and 24h");
  expect(exitCode).toBe(2);
});

it("sync prints the row with its outcome, and the state before and after", async () => {
  const next = await at.scene.rotate(source, '{"user":"app","password":"canary-7f3a9c1e-next"}');
  const { json } = await desk.runJson("sync", secret());
  expect(json).toMatchObject({
    ok: true,
    targets: [
      {
        cluster: "main",
        namespace: at.scene.namespace,
        name: "db",
        finding: "STALE",
        action: "update",
        observed: "values",
        outcome: "written",
        before: { versionId: source.versionId },
        after: { versionId: next.versionId },
        currentVersionId: next.versionId,
        changes: [{ key: "password", what: "changed" }],
        stale: false,
      },
    ],
  });
});
