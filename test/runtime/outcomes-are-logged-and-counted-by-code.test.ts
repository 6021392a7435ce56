import { Metrics } from "@aws-lambda-powertools/metrics";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LOG, type LogCode, type LogFields, logThrough } from "../../shared/runtime/log.ts";
import { METRICS, type MetricName, measureThrough } from "../../shared/runtime/metrics.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { reportOutcome } from "../../shared/sync/report-outcome.ts";

const target = { cluster: "main", namespace: "app", name: "db" };
const versionId = "version-1" as VersionId;

describe("a log line", () => {
  const lines: unknown[][] = [];
  const recorder = (level: string) => (sentence: unknown, extra?: unknown) => {
    lines.push([level, sentence, extra]);
  };
  const log = logThrough({
    debug: recorder("DEBUG"),
    info: recorder("INFO"),
    warn: recorder("WARN"),
    error: recorder("ERROR"),
  } as Parameters<typeof logThrough>[0]);
  beforeEach(() => {
    lines.length = 0;
  });

  const codes = Object.keys(LOG) as LogCode[];
  it("exists for several codes", () => expect(codes.length).toBeGreaterThan(5));

  it.each(codes)("%s has its level, its sentence and its code", (code) => {
    log(code, { source: "prod/db" });
    expect(lines).toEqual([[...LOG[code], { logCode: code, source: "prod/db" }]]);
  });

  it("has a unique sentence for each code", () => {
    const sentences = Object.values(LOG).map(([, sentence]) => sentence);
    expect(new Set(sentences).size).toBe(sentences.length);
  });
});

describe("a metric", () => {
  let written: string[] = [];
  beforeEach(() => {
    written = [];
    vi.stubEnv("POWERTOOLS_DEV", "true"); // writes through the global console, where a test can see it
    vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false"); // which is what development would switch off
    vi.spyOn(console, "log").mockImplementation((line) => {
      written.push(String(line));
    });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  const measured = (use: (measure: ReturnType<typeof measureThrough>) => void) => {
    const metrics = new Metrics({ namespace: "SecretRelay", serviceName: "rotation" });
    use(measureThrough(metrics));
    metrics.publishStoredMetrics();
    return written.map((line) => JSON.parse(line));
  };

  it.each(Object.entries(METRICS) as [MetricName, string][])(
    "%s is emitted in %s, for its service",
    (name, unit) => {
      const [line, ...others] = measured((measure) => measure(name, 3));

      expect(others).toEqual([]);
      expect(line).toMatchObject({ service: "rotation", [name]: 3 });
      expect(line._aws.CloudWatchMetrics).toEqual([
        { Namespace: "SecretRelay", Dimensions: [["service"]], Metrics: [{ Name: name, Unit: unit }] },
      ]);
    },
  );

  it("with a code is counted once in total and once under the code", () => {
    const lines = measured((measure) => measure("TargetsRefused", 1, "TARGET_IMMUTABLE"));

    const byDimensions = lines.map((line) => [
      line._aws.CloudWatchMetrics[0].Dimensions,
      line.code,
      line.TargetsRefused,
    ]);
    expect(byDimensions).toHaveLength(2);
    expect(byDimensions).toContainEqual([[["service"]], undefined, 1]);
    expect(byDimensions).toContainEqual([[["service", "code"]], "TARGET_IMMUTABLE", 1]);
  });

  it("keeps every value, so that percentiles are meaningful", () => {
    const [line] = measured((measure) => {
      for (const ms of [10, 20, 30]) measure("PropagationLatency", ms);
    });
    expect(line.PropagationLatency).toEqual([10, 20, 30]);
  });
});

describe("an outcome", () => {
  const cases: { it: string; outcome: SyncOutcome; logged: [LogCode, LogFields]; measured: unknown[][] }[] = [
    {
      it: "written is logged with the changes and the latency",
      outcome: {
        kind: "written",
        target,
        versionId,
        isNew: false,
        changes: [{ field: "data.password", what: "changed" }],
        propagationMs: 850,
        fenceConflicts: 2,
      },
      logged: [
        "TARGET_WRITTEN",
        {
          source: "prod/db",
          target: "main/app/db",
          versionId,
          changes: ["changed data.password"],
          fenceConflicts: 2,
          propagationMs: 850,
        },
      ],
      measured: [
        ["TargetsWritten", 1],
        ["PropagationLatency", 850],
        ["FenceConflicts", 2],
      ],
    },
    {
      it: "created is logged as such, and has no latency without an event",
      outcome: { kind: "written", target, versionId, isNew: true, changes: [], fenceConflicts: 0 },
      logged: [
        "TARGET_WRITTEN",
        { source: "prod/db", target: "main/app/db", versionId, changes: ["created"], fenceConflicts: 0 },
      ],
      measured: [["TargetsWritten", 1]],
    },
    {
      it: "written at once has a latency of zero, which is emitted",
      outcome: {
        kind: "written",
        target,
        versionId,
        isNew: true,
        changes: [],
        propagationMs: 0,
        fenceConflicts: 0,
      },
      logged: [
        "TARGET_WRITTEN",
        {
          source: "prod/db",
          target: "main/app/db",
          versionId,
          changes: ["created"],
          fenceConflicts: 0,
          propagationMs: 0,
        },
      ],
      measured: [
        ["TargetsWritten", 1],
        ["PropagationLatency", 0],
      ],
    },
    {
      it: "unchanged is counted separately",
      outcome: { kind: "unchanged", target, versionId, fenceConflicts: 1 },
      logged: [
        "TARGET_UNCHANGED",
        { source: "prod/db", target: "main/app/db", versionId, fenceConflicts: 1 },
      ],
      measured: [
        ["TargetsUnchanged", 1],
        ["FenceConflicts", 1],
      ],
    },
    {
      it: "refused is counted by code and logged with advice",
      outcome: { kind: "refused", target, code: "TARGET_IMMUTABLE", advice: "Delete it." },
      logged: [
        "TARGET_REFUSED",
        { source: "prod/db", target: "main/app/db", code: "TARGET_IMMUTABLE", advice: "Delete it." },
      ],
      measured: [["TargetsRefused", 1, "TARGET_IMMUTABLE"]],
    },
    {
      it: "failed is counted by code",
      outcome: { kind: "failed", target, code: "CLUSTER_UNAVAILABLE", advice: "Look." },
      logged: [
        "TARGET_FAILED",
        { source: "prod/db", target: "main/app/db", code: "CLUSTER_UNAVAILABLE", advice: "Look." },
      ],
      measured: [["TargetsFailed", 1, "CLUSTER_UNAVAILABLE"]],
    },
  ];

  it.each(cases)("$it", ({ outcome, logged, measured }) => {
    const logs: unknown[] = [];
    const measures: unknown[] = [];
    reportOutcome(
      (...line) => logs.push(line),
      (...measure) => measures.push(measure),
      "prod/db",
      outcome,
    );
    expect(logs).toEqual([logged]);
    expect(measures).toEqual(measured);
  });

  it("the days left of a certificate are emitted, written or not, and a replaced Secret is logged as replaced", () => {
    const measures: unknown[] = [];
    const logs: unknown[] = [];
    const report = (outcome: SyncOutcome) =>
      reportOutcome(
        (...line) => logs.push(line),
        (...measure) => measures.push(measure),
        "prod/db",
        outcome,
      );
    const common = { target, versionId, fenceConflicts: 0 };

    report({ ...common, kind: "unchanged", certificateExpiresInDays: 12 });
    report({
      ...common,
      kind: "written",
      isNew: false,
      isReplaced: true,
      changes: [{ field: "data.tls.crt", what: "changed" }],
      certificateExpiresInDays: -1,
    });

    expect(measures).toContainEqual(["CertificateExpiresInDays", 12]);
    expect(measures).toContainEqual(["CertificateExpiresInDays", -1]);
    expect(logs).toContainEqual([
      "TARGET_WRITTEN",
      expect.objectContaining({ changes: ["replaced the Secret", "changed data.tls.crt"] }),
    ]);
  });
});
