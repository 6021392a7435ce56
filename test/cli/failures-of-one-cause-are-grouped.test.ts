import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { groupByCause, nameOfGroup } from "../../cli/targets/group-by-cause.ts";
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import { newCanary } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";

const COUNT = 120;

let backend: SandboxBackend;
let scene: Scene;
let desk: Desk;

beforeAll(async () => {
  backend = await startSandboxBackend();
  for (const [name, value] of Object.entries(backend.aws.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await backend?.stop();
});
beforeEach(async () => {
  scene = await openScene(backend);
  desk = openDesk(backend);
  const value = JSON.stringify({ username: "app", password: newCanary() });
  const source = await scene.createSource(`prod/${randomUUID().slice(0, 8)}`, value);
  const endpoint = "https://127.0.0.1:9"; // nothing listens there
  const targets = Array.from({ length: COUNT }, (_, index) => ({ namespace: "shop", name: `db-${index}` }));
  const cluster = { ...pinnedCluster(backend), endpoint };
  const dead = { ...backend.kubernetes, endpoint };
  desk.write("kubeconfig", kubeconfigFor(dead, backend.aws.accountId, { token: dead.adminToken }));
  desk.writeBindings([{ source: source.name, targets }], { main: cluster });
});
afterEach(() => {
  scene.close();
  desk.close();
});

const occurrencesOf = (text: string, part: string) => text.split(part).length - 1;

describe("120 Secrets of a dead cluster", () => {
  it.each([
    ["plan"],
    ["status"],
    ["sweep"],
    ["sweep", "--plan"],
    ["sync", "--all"],
    ["hold", "--all", "--for", "1m"],
    ["claim"],
    ["doctor"],
  ])(
    "are explained once, with their count and three names: %s",
    async (...words) => {
      const { exitCode, stdout, stderr } = await desk.run(...words);
      const text = stdout + stderr;
      expect(exitCode).toBe(1);
      expect(text).toMatch(
        words[0] === "doctor" ? /secrets main, 120 of them/ : /main: 120 Secrets, shop\/db-\d+, /,
      );
      const advice =
        occurrencesOf(text, "did not answer properly") + occurrencesOf(text, "cannot reach its API server");
      expect(advice).toBeGreaterThan(0);
      expect(advice).toBeLessThanOrEqual(2);
    },
    60_000,
  );

  it("leave no check of the doctor out: what cannot be checked is unknown", async () => {
    const { json } = await desk.runJson("doctor");
    const { checks } = json as { checks: { check: string; about?: string; status: string; fix?: string }[] };
    const unknown = checks.filter(({ about, status }) => about === "main" && status === "unknown");
    expect(unknown.filter(({ check }) => check === "namespace" || check === "rbac")).toEqual([
      expect.objectContaining({ check: "namespace", fix: "a connection to its API server" }),
      expect.objectContaining({ check: "rbac", fix: "a connection to its API server" }),
    ]);
    const names = new Set(checks.map(({ check }) => check));
    for (const check of ["function", "rule", "queue", "sweeps", "events", "access-entry"]) {
      expect(names).toContain(check);
    }
  }, 60_000);
});

describe("a group", () => {
  const row = (cluster: string, name: string, cause: string) => ({ cluster, namespace: "shop", name, cause });

  it("has Secrets of one cluster and one cause, and keeps their order", () => {
    const rows = [row("a", "one", "x"), row("b", "two", "x"), row("a", "three", "y"), row("a", "four", "x")];
    const groups = groupByCause(rows, ({ cause }) => cause);
    expect(groups.map(nameOfGroup)).toEqual([
      "a: 2 Secrets, shop/one, shop/four",
      "b/shop/two",
      "a/shop/three",
    ]);
  });

  it("names at most three Secrets", () => {
    const rows = ["one", "two", "three", "four"].map((name) => row("a", name, "x"));
    expect(nameOfGroup(rows)).toBe("a: 4 Secrets, shop/one, shop/two, shop/three, …");
  });
});
