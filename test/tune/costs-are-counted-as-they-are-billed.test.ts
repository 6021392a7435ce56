import { describe, expect, it } from "vitest";
import { pollingCosts, relayCosts } from "../../cli/tune/costs.ts";
import { KNOWN, type KnownNumber, OWN } from "../../cli/tune/known-numbers.ts";
import { loadOfBindings, loadOfNumbers } from "../../cli/tune/load.ts";
import { fixedCosts } from "../../scripts/fixed-costs.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { template, templateText } from "../template/template.ts";
import { HOUR, MINUTE } from "./factories.ts";

const load = loadOfNumbers({ secrets: 200, namespaces: 3, targets: 600, clusters: 1 });

describe("polling", () => {
  it("pays for every read of every Kubernetes Secret at every interval", () => {
    const { callsAMonth, usd, quota } = pollingCosts(load, 5 * MINUTE);

    expect(callsAMonth).toBe(600 * 12 * 730);
    expect(usd.total).toBeCloseTo((600 * 12 * 730 * 0.05) / 10_000, 6);
    expect(quota).toEqual({ of: "GetSecretValue", average: 2 / 10_000, atOnce: 600 / 10_000 });
  });
});

describe("the relay", () => {
  const monthly = 30 * 24 * HOUR;

  it("lists a page for a hundred secrets, reads one value for a rotation, and every value once a day", () => {
    const { callsAMonth, quota } = relayCosts(load, { sweepIntervalMs: 5 * MINUTE, rotateEveryMs: monthly });

    expect(callsAMonth).toBeCloseTo(2 * 12 * 730 + (200 * 730) / 720 + (200 * 730) / 24, 6);
    expect(quota).toEqual({ of: "ListSecrets", average: 2 / 300 / 100, atOnce: 2 / 100 });
  });

  it("describes up to twenty secrets one by one", () => {
    const few = loadOfNumbers({ secrets: 20, namespaces: 1, targets: 20, clusters: 1 });

    expect(relayCosts(few, { sweepIntervalMs: MINUTE, rotateEveryMs: monthly }).quota.of).toBe(
      "DescribeSecret",
    );
  });

  it("has its functions, alarms and metrics in its price", () => {
    const { usd } = relayCosts(load, { sweepIntervalMs: 5 * MINUTE, rotateEveryMs: monthly });

    expect(usd.stack).toBeCloseTo(1.8 + 2.1, 6);
    expect(usd.lambda).toBeGreaterThan(0);
    expect(usd.total).toBeCloseTo(usd.calls + usd.lambda + usd.stack, 6);
  });
});

describe("the counts", () => {
  it("are the numbers in the template and in the code", () => {
    const { alarmMetrics, customMetrics, dashboards } = fixedCosts(templateText);

    expect(OWN.alarmMetrics).toBe(alarmMetrics);
    expect(OWN.steadyMetrics).toBe(customMetrics);
    expect(dashboards).toBe(0);
    expect(OWN.memoryGigabytes * 1_024).toBe(template.Parameters.SweepMemoryMegabytes?.Default);
  });

  it("are the reads of the bindings: of each source for each Kubernetes Secret", () => {
    const bindings = loadBindings(
      `version: 1
clusters:
  one: { name: one, region: eu-west-1 }
  two: { name: two, region: eu-west-1 }
bindings:
  - source: prod/db
    targets:
      - { cluster: one, namespace: shop, name: db }
      - { cluster: one, namespace: reports, name: db }
      - { cluster: two, namespace: shop, name: db }
  - source: prod/cache
    targets: [{ cluster: one, namespace: shop, name: cache }]
`,
      "bindings.yaml",
    );

    expect(loadOfBindings(bindings)).toEqual({
      secrets: 2,
      targets: 4,
      pollReads: 4,
      rotationReads: 3,
      namespaces: 3,
      clusters: 2,
    });
  });
});

it.each(Object.entries(KNOWN) as [string, KnownNumber][])("%s has a source and a day", (_, number) => {
  expect(number.source).toMatch(/\w+\.\w+|@aws-sdk/);
  expect(number.seenOn).toMatch(/^2026-\d\d-\d\d$/);
  expect(number.what).not.toBe("");
});
