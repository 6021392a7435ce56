import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import type { Backend } from "../harness/backend.ts";
import { type BuiltFunction, buildRotation } from "../harness/build-function.ts";
import { findTraces, newCanary } from "../harness/canary.ts";
import { labelUpdated, pinnedCluster } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { startBuiltFunction } from "./start-built-function.ts";

/** The deployed bundle in a separate process, from event to Secret; the same on the sandbox and on real servers. */
export function describeBuiltFunction(start: () => Promise<Backend>): void {
  let backend: Backend;
  let built: BuiltFunction;
  let scene: Scene;

  beforeAll(async () => {
    [backend, built] = await Promise.all([start(), buildRotation()]);
  });
  afterAll(async () => {
    await built?.remove();
    await backend?.stop();
  });
  beforeEach(async () => {
    scene = await openScene(backend);
    await scene.grant(["db"]);
  });
  afterEach(() => scene.close());

  const secretText = () => JSON.stringify({ username: "app", password: newCanary() });
  const createSource = () => scene.createSource(`prod/${randomUUID().slice(0, 8)}`, secretText());
  const bindingsText = (source: string, cluster: object = pinnedCluster(backend)) =>
    JSON.stringify({
      version: 1,
      clusters: { main: cluster },
      bindings: [{ source, targets: [{ namespace: scene.namespace, name: "db" }] }],
    });
  const writeBindings = async (name: string, text: string) => {
    const file = join(built.folder, name);
    await writeFile(file, text);
    return file;
  };
  const startWith = (BINDINGS_FILE: string, env = {}) =>
    startBuiltFunction(built.handlerFile, backend.aws, { BINDINGS_FILE, ...env });

  it("writes each rotation, and prints nothing but log lines and metrics, in JSON", async () => {
    const source = await createSource();
    const text = JSON.stringify(loadBindings(bindingsText(source.name), "test"));
    const run = await startWith(await writeBindings("compiled.json", text));
    const first = await run.invoke(labelUpdated(backend, source));
    const value = secretText();
    const rotated = await scene.rotate(source, value);
    const second = await run.invoke(labelUpdated(backend, rotated, Date.now() - 2_000));
    const printed = await run.stop();

    const target = `main/${scene.namespace}/db`;
    const written = { target, outcome: "written" };
    expect(run.start).toEqual({ kind: "ready" });
    expect(first).toMatchObject({ answer: { targets: [{ ...written, versionId: source.versionId }] } });
    expect(second).toMatchObject({ answer: { targets: [{ ...written, versionId: rotated.versionId }] } });
    expect(await scene.readData("db")).toEqual(JSON.parse(value));

    const { logs, metrics } = parseOutput(printed);
    const codes = ["SYNC_STARTED", "TARGET_WRITTEN", "SYNC_COMPLETED"];
    expect(logs.map(({ logCode }) => logCode)).toEqual([...codes, ...codes]);
    for (const log of logs) {
      expect(log).toMatchObject({ service: "rotation", source: source.arn, level: "INFO" });
      expect(log.function_request_id).toEqual(expect.any(String));
    }
    expect(logs[1]).toMatchObject({ target, changes: ["created"], cold_start: true });
    expect(logs[4]).toMatchObject({ target, versionId: rotated.versionId, cold_start: false });

    const counted = metrics.filter((metric) => "TargetsWritten" in metric);
    expect(counted).toHaveLength(2);
    expect(counted[0]).toMatchObject({ service: "rotation", TargetsWritten: 1, TokenRefreshes: 1 });
    expect(counted[1]).toMatchObject({ TargetsWritten: 1 });
    expect(counted[1]?.PropagationLatency).toBeGreaterThanOrEqual(2_000);
    expect(counted[1]).not.toHaveProperty("TokenRefreshes");
    for (const { _aws } of metrics) expect(_aws.CloudWatchMetrics[0]?.Namespace).toBe("SecretRelay");
    expect(findTraces(printed)).toEqual([]);
  });

  it("also reads handwritten bindings", async () => {
    const source = await createSource();
    const yaml = `
version: 1
clusters:
  main: ${JSON.stringify(pinnedCluster(backend))}
bindings:
  - source: ${source.name}
    keys: { DB_PASSWORD: password } # renamed
    targets:
      - { namespace: ${scene.namespace}, name: db }
`;
    const run = await startWith(await writeBindings("bindings.yaml", yaml));
    const answer = await run.invoke({ secretId: source.arn });
    await run.stop();

    expect(answer).toMatchObject({ answer: { targets: [{ outcome: "written" }] } });
    expect(Object.keys((await scene.readData("db")) ?? {})).toEqual(["DB_PASSWORD"]);
  });

  it("fails with an error that contains only advice, and reports every outcome before", async () => {
    const source = await createSource();
    const cluster = { ...pinnedCluster(backend), endpoint: "https://127.0.0.1:9" };
    const run = await startWith(await writeBindings("gone.yaml", bindingsText(source.name, cluster)));
    const failed = await run.invoke(labelUpdated(backend, source), 4_000);
    const printed = await run.stop();

    const errorMessage = "1 of 1 target(s) could not be written now: CLUSTER_UNAVAILABLE.";
    const errorType = "SyncIncomplete";
    const error = { errorType, errorMessage, trace: [`${errorType}: ${errorMessage}`] };
    expect(failed).toEqual({ kind: "error", error });
    const { logs, metrics } = parseOutput(printed);
    // Warnings and errors go to stderr, so their order relative to the others is lost.
    expect(logs.map(({ logCode, level }) => `${level} ${logCode}`).sort()).toEqual([
      "ERROR INVOCATION_FAILED",
      "INFO SYNC_COMPLETED",
      "INFO SYNC_STARTED",
      "WARN TARGET_FAILED",
    ]);
    expect(metrics).toContainEqual(
      expect.objectContaining({ TargetsFailed: 1, code: "CLUSTER_UNAVAILABLE" }),
    );
    expect(findTraces(printed + JSON.stringify(failed))).toEqual([]);
  });

  it("refuses an invalid input with a code", async () => {
    const run = await startWith(await writeBindings("any.yaml", bindingsText("prod/any")));
    const input = { Step: "finishSecret", SecretId: "prod/any", ClientRequestToken: randomUUID() };
    const failed = await run.invoke(input);
    await run.stop();

    expect(failed).toMatchObject({ kind: "error", error: { errorType: "InputRefused" } });
    expect((failed as { error: { errorMessage: string } }).error.errorMessage).toMatch(
      /^ROTATION_FUNCTION_INPUT: /,
    );
  });

  it("does not start with invalid bindings, and reports the location of each mistake", async () => {
    const run = await startWith(await writeBindings("wrong.yaml", "version: 1\nclusters: {}\nbindngs: []\n"));
    const printed = await run.stop();

    expect(run.start).toMatchObject({ kind: "not started", error: { errorType: "BindingsError" } });
    const { errorMessage } = (run.start as { error: { errorMessage: string } }).error;
    expect(errorMessage).toMatch(/wrong\.yaml:3:1/);
    expect(errorMessage).toContain("Did you mean bindings?");
    expect(printed).toBe("");
  });

  it("does not start with invalid settings, and names all of them", async () => {
    const file = await writeBindings("fine.yaml", bindingsText("prod/any"));
    const run = await startWith(file, { TARGETS_AT_ONCE: "many", TOKEN_LIFE_MS: "1" });
    await run.stop();

    const { error } = run.start as { error: { errorType: string; errorMessage: string } };
    expect(error.errorType).toBe("ConfigurationError");
    expect(error.errorMessage).toMatch(/variables \(2\): .*TARGETS_AT_ONCE.*TOKEN_LIFE_MS/);
  });

  describe("without a pinned endpoint", () => {
    it("loads the EKS client when needed, and finds the cluster by its name", async ({ skip }) => {
      if (backend.name === "real") skip("moto describes clusters with endpoints of its own making");
      const source = await createSource();
      const { name, region } = pinnedCluster(backend);
      const run = await startWith(
        await writeBindings("unpinned.yaml", bindingsText(source.name, { name, region })),
      );
      const answer = await run.invoke(labelUpdated(backend, source));
      await run.stop();

      expect(answer).toMatchObject({ answer: { targets: [{ outcome: "written" }] } });
    });
  });
}

type LogLine = Record<string, unknown> & { logCode: string; level: string };
type MetricLine = Record<string, unknown> & { _aws: { CloudWatchMetrics: { Namespace: string }[] } };

/** Every line is JSON: a log line, or metrics in CloudWatch's embedded format; each stream keeps its order. */
function parseOutput(printed: string): { logs: LogLine[]; metrics: MetricLine[] } {
  const lines = printed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const isMetric = (line: Record<string, unknown>) => "_aws" in line;
  return {
    logs: lines.filter((line) => !isMetric(line)) as LogLine[],
    metrics: lines.filter(isMetric) as MetricLine[],
  };
}
