import { afterEach, beforeEach, expect, it } from "vitest";
import { startSweeper, type TestSweeper } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const VALUE = '{"password":"canary-7f3a9c1e-first"}';

let source: TestSource;
let sweeper: TestSweeper;

beforeEach(async () => {
  source = await at.scene.createSource("prod/db", VALUE);
  await at.scene.grant(["one", "other"], { mayList: true });
  const targets = ["one", "other"].map((name) => ({ namespace: at.scene.namespace, name }));
  sweeper = await startSweeper(used.backend, { bindings: [{ source: "prod/db", targets }] });
});
afterEach(() => at.scene.deleteSource(source));

const sweepOf = (name: string) => ({
  sweep: "metadata",
  inventory: true,
  targets: [`main/${at.scene.namespace}/${name}`],
});

it("repairs what it names, reports only that, and counts in no metric of sweeps", async () => {
  const report = await sweeper.sweep(sweepOf("one"));

  expect(report.targets).toMatchObject([{ name: "one", finding: "MISSING", outcome: "written" }]);
  expect(report).toMatchObject({ bindings: 1, checked: 1 });
  expect(await at.scene.readData("one")).toEqual(JSON.parse(VALUE));
  expect(await at.scene.readSecret("other")).toBeUndefined();
  expect(sweeper.metrics.map(({ name }) => name)).toEqual(["TokenRefreshes"]);
});

it("looks at no orphan", async () => {
  await sweeper.sweep({ sweep: "metadata" });
  const narrow = await startSweeper(used.backend, {
    bindings: [{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "one" }] }],
  });
  expect((await narrow.sweep(sweepOf("one"))).targets).toMatchObject([{ name: "one", finding: null }]);
  expect((await narrow.sweep({ sweep: "metadata" })).targets).toMatchObject([{ finding: "ORPHAN" }]);
});

it.each([["main/shop/db"], [3], [[3]]])("refuses a list of targets that is none: %j", async (targets) => {
  await expect(sweeper.sweep({ sweep: "metadata", targets })).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
});
