import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltFunction, buildFunction } from "../harness/build-function.ts";
import { mixDrifts, REPAIRABLE } from "../harness/drifts.ts";
import { expectedFindings, foundBy } from "../harness/fleet.ts";
import { startLambdaProcess } from "../harness/start-lambda-process.ts";
import { useSweepScene } from "../sweep/sweep-scene.ts";

const scene = useSweepScene();
let built: BuiltFunction;

beforeAll(async () => {
  built = await buildFunction("reconcile");
});
afterAll(() => built?.remove());

const start = async (size: number, drifts = mixDrifts([], 0)) => {
  const fleet = await scene.openFleet({ size, drifts });
  await fleet.drift();
  const env = { ...scene.sandbox.aws.env, BINDINGS_FILE: fleet.bindingsFile };
  return { fleet, relay: await startLambdaProcess(built.handlerFile, env, { keepsOutput: true }) };
};

type Line = Record<string, unknown> & {
  _aws?: { CloudWatchMetrics: { Namespace: string; Metrics: { Name: string }[] }[] };
};

describe("the built function", () => {
  it("sweeps, and every line that it writes is JSON: log lines, and metrics for CloudWatch", async () => {
    const { fleet, relay } = await start(60, mixDrifts(REPAIRABLE, 14));
    const { answer, error } = await relay.invoke({ sweep: "metadata" });
    await relay.stop();

    expect(error).toBeUndefined();
    expect(foundBy(answer ?? { targets: [] })).toEqual(expectedFindings(fleet));
    const lines = relay
      .output()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
    expect(lines.filter(({ logCode }) => logCode === "DRIFT_FOUND")).toHaveLength(14);
    expect(lines.find(({ logCode }) => logCode === "SWEEP_COMPLETED")).toMatchObject({
      service: "reconcile",
      bindings: 59,
      checked: 59,
      findings: 14,
    });
    const metrics = lines.flatMap(({ _aws }) => _aws?.CloudWatchMetrics ?? []);
    expect(new Set(metrics.map(({ Namespace }) => Namespace))).toEqual(new Set(["SecretRelay"]));
    const names = metrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
    expect(names).toEqual(
      expect.arrayContaining([
        "SweepBindingsChecked",
        "TargetsDrifted",
        "TargetsRepaired",
        "SweepShardsCompleted",
      ]),
    );
    expect(relay.output()).not.toMatch(/(first|second|tampered)-db-/);
  });

  it("sweeps by values too", async () => {
    const { relay } = await start(25);
    const { answer } = await relay.invoke({ sweep: "values" });
    await relay.stop();
    expect(answer).toMatchObject({ mode: "values", checked: 25, targets: [] });
  });

  it("fails with a code for an unknown task, and continues to work", async () => {
    const { relay } = await start(3);
    const { error } = await relay.invoke({ sweep: "everything" });
    const { answer } = await relay.invoke({ sweep: "metadata" });
    await relay.stop();
    expect(error).toMatchObject({
      name: "TaskUnknown",
      message: expect.stringContaining('{"sweep": "metadata"}'),
    });
    expect(error?.stack).not.toContain(" at ");
    expect(answer).toMatchObject({ checked: 3 });
  });
});
