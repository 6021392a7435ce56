import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwsSandbox, startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { runCli } from "../harness/run-cli.ts";
import { MADE_AT, sweepReport } from "../report/factories.ts";

// `report --cloudwatch` with AWS's own clients on the sandbox. moto returns invalid JSON for percentiles.

const LOG_GROUP = "/aws/lambda/secret-relay-reconcile";
const MINUTE_MS = 60_000;
let aws: AwsSandbox;
let cwd: string;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), "secret-relay-report-"));
  aws = await startAwsSandbox();
  aws.addStack("secret-relay", { ReconcileLogGroupName: LOG_GROUP });
  for (const ms of [400, 700, 1_800]) measure("rotation", "PropagationLatency", ms);
  measure("reconcile", "TargetsDrifted", 3);
  measure("reconcile", "TargetsRepaired", 2);
  for (const minutes of [1, 10]) measure("reconcile", "SweepBindingsChecked", 250, minutes);
  measure("reconcile", "TargetsDrifted", 7, 60 * 24 * 3);
  // More lines than a page of the log holds, the newest sweep among them.
  for (let at = 0; at < 250; at += 1) {
    log({
      logCode: "DRIFT_FOUND",
      sweepId: "newest",
      finding: "IMMUTABLE",
      target: `prod/shop/db-${at}`,
      source: `prod/db-${at}`,
      action: "refused",
      code: "TARGET_IMMUTABLE",
      advice: "Delete the Secret.",
    });
  }
  log({ logCode: "TARGET_WRITTEN", target: "prod/shop/other" });
  log({ logCode: "SWEEP_COMPLETED", sweepId: "newest", mode: "metadata", bindings: 300, checked: 300 });
});
beforeEach(() => {
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  aws.faults.clear();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(cwd, { recursive: true, force: true });
  await aws.stop();
});

function measure(service: string, name: string, value: number, minutesAgo = 10): void {
  const at = MADE_AT - minutesAgo * MINUTE_MS;
  aws.cloudWatch.addMetric({ namespace: "SecretRelay", service, name, value, at });
}

const log = (line: object): void =>
  aws.cloudWatch.addLogLine(LOG_GROUP, MADE_AT - 2 * MINUTE_MS, JSON.stringify(line));

async function run(...words: string[]) {
  const told = await runCli(["report", ...words], { cwd, now: () => MADE_AT });
  return { ...told, page: told.exitCode === 0 ? readFileSync(join(cwd, "report.html"), "utf8") : "" };
}

describe("secret-relay report --cloudwatch", () => {
  it("writes the newest sweep in the log, with the metrics", async () => {
    const { exitCode, stdout, stderr, page } = await run("--cloudwatch", "--json");

    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      bindings: 300,
      counts: { refused: 250, fresh: 50 },
      missing: [],
    });
    expect(page).toContain("typically 700 ms, at most 1.8 s");
    expect(page).toContain("prod/db-249");
  });

  it("reads exactly the requested time range", async () => {
    aws.cloudWatch.addMetric({
      namespace: "SecretRelay",
      service: "reconcile",
      name: "TargetsDrifted",
      value: 1,
      at: MADE_AT - 20 * MINUTE_MS,
    });
    const day = await run("--cloudwatch");
    const week = await run("--cloudwatch", "--hours", "168");

    expect(day.page).toContain("4 findings, 2 of them repaired");
    expect(week.page).toContain("11 findings, 2 of them repaired");
  });

  it("adds metrics to a given report, and does not read the log", async () => {
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(cwd, "sweep.json"), JSON.stringify(sweepReport({ bindings: 9, checked: 9 })));
    aws.faults.add({ kind: "accessDenied", match: { operation: "FilterLogEvents" } });
    aws.faults.add({ kind: "accessDenied", match: { operation: "DescribeStacks" } });

    const { stdout, page } = await run("--cloudwatch", "--from", "sweep.json", "--json");

    expect(JSON.parse(stdout)).toMatchObject({ bindings: 9, missing: [] });
    expect(page).toContain("at most 1.8 s");
  });

  it("without permission for metrics shows the sweep, and names the missing permission", async () => {
    aws.faults.add({ kind: "accessDenied", match: { operation: "GetMetricData" } });

    const { exitCode, stderr, page } = await run("--cloudwatch");

    expect(exitCode).toBe(0);
    expect(stderr).toContain("cloudwatch:GetMetricData");
    expect(page).toContain("cloudwatch:GetMetricData");
    expect(page).toContain("prod/db-249");
  });

  it("reports a namespace without metrics", async () => {
    const { exitCode, stderr } = await run("--cloudwatch", "--metrics-namespace", "Other");

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/no metrics in namespace Other/);
  });

  it.each([
    [
      "the log is not allowed",
      "FilterLogEvents",
      /logs:FilterLogEvents.*NO_SWEEP|NO_SWEEP.*logs:FilterLogEvents/s,
    ],
    ["the stack is not allowed", "DescribeStacks", /STACK_FORBIDDEN/],
  ])("fails when %s, and says what to do", async (_, operation, message) => {
    aws.faults.add({ kind: "accessDenied", match: { operation } });

    const { exitCode, stderr } = await run("--cloudwatch");

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("refuses an invalid time range", async () => {
    expect((await run("--cloudwatch", "--hours", "never")).exitCode).toBe(2);
  });
});
