import { fleetReport } from "../../cli/report/model.ts";
import { renderPage } from "../../cli/report/page.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";

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
    targets: [],
    orphansUnknown: [],
    calls: { aws: 1, kubernetes: 1, throttles: 0 },
    ...parts,
  };
}

export const target = (name: string, cluster = "prod") => ({ cluster, namespace: "shop", name });

/** `undefined` takes a field away. */
export type RowParts = { readonly [Field in keyof TargetRow]?: TargetRow[Field] | undefined };

/** A stale Secret that the sweep wrote. */
export function finding(name: string, parts: RowParts = {}): TargetRow {
  const row: RowParts = {
    ...target(name),
    source: `prod/${name}`,
    finding: "STALE",
    action: "update",
    observed: "metadata",
    outcome: "written",
    ...parts,
  };
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as TargetRow;
}

export const REFUSED = {
  outcome: "refused",
  code: "TARGET_IMMUTABLE",
  advice: "Delete the Secret.",
} as const;

export function inOrder(name: string, parts: Partial<TargetRow> = {}): TargetRow {
  return {
    ...target(name),
    source: `prod/${name}`,
    finding: null,
    action: "none",
    observed: "metadata",
    ...parts,
  };
}

/** A report in which every string is the same. */
export function reportSaying(text: string): SweepReport {
  const place = { cluster: text, namespace: text, name: text, source: text, observed: "metadata" } as const;
  return sweepReport({
    bindings: 4,
    checked: 3,
    targets: [
      {
        ...place,
        finding: "TAMPERED",
        action: "refuse",
        code: text,
        advice: text,
        fields: [{ field: text as never, what: "changed", manager: text, at: text }],
        foreignKeys: [{ key: text, manager: text }],
        trackedBy: text,
        cause: text,
      },
      { ...place, finding: "STALE", action: "update", outcome: "written", versionId: text },
      { ...place, cluster: `${text}!`, finding: null, action: "unknown", code: text, advice: text },
      {
        ...place,
        finding: null,
        action: "none",
        versionId: text,
        writtenAt: "2026-11-24T05:00:00.000Z",
      },
    ],
  });
}
