import { fleetReport } from "../../cli/report/model.ts";
import { renderPage } from "../../cli/report/page.ts";
import type { Finding } from "../../shared/sweep/finding.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";

export const MADE_AT = Date.UTC(2026, 10, 24, 6, 20);

export const renderSweeps = (sweeps: readonly SweepReport[]): string =>
  renderPage(fleetReport({ sweeps, madeAt: MADE_AT, release: "0.1.0" }));

export function sweepReport(parts: Partial<SweepReport> = {}): SweepReport {
  return {
    version: 1,
    sweepId: "a-sweep",
    mode: "metadata",
    plan: false,
    startedAt: "2026-11-24T06:00:00.000Z",
    endedAt: "2026-11-24T06:00:01.500Z",
    bindings: 0,
    checked: 0,
    shardsQueued: 0,
    findings: [],
    unchecked: [],
    unseen: [],
    calls: { aws: 1, kubernetes: 1, throttles: 0 },
    ...parts,
  };
}

export const target = (name: string, cluster = "prod") => ({ cluster, namespace: "shop", name });

export function finding(name: string, parts: Partial<Finding> = {}): Finding {
  return {
    code: "STALE",
    target: target(name),
    source: `prod/${name}`,
    details: {},
    action: { kind: "repaired" },
    ...parts,
  };
}

/** A report in which every text that there is says the same. */
export function reportSaying(text: string): SweepReport {
  const place = { cluster: text, namespace: text, name: text };
  return sweepReport({
    bindings: 4,
    checked: 3,
    findings: [
      {
        code: "TAMPERED",
        target: place,
        source: text,
        details: {
          fields: [{ field: text as never, what: "changed", manager: text, at: text }],
          cause: text,
        },
        action: { kind: "refused", code: text, advice: text },
      },
      {
        code: "STALE",
        target: place,
        source: text,
        details: { liveVersionId: text },
        action: { kind: "repaired" },
      },
    ],
    unchecked: [{ target: { ...place, cluster: `${text}!` }, source: text, code: text, advice: text }],
    inventory: [{ target: place, source: text, versionId: text, writtenAt: "2026-11-24T05:00:00.000Z" }],
  });
}
