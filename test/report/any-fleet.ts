import { REFUSALS } from "../../shared/assess/catalogue.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";

/** Reports of a fleet of any size, sweep by sweep, always the same for the same arguments. */
export function fleetSweeps({ bindings, sweeps }: { bindings: number; sweeps: number }): SweepReport[] {
  return Array.from({ length: sweeps }, (_, at) => sweepOf(bindings, at, sweeps));
}

const BEGAN_AT = Date.UTC(2026, 10, 24, 3);
const PERIOD_MS = 300_000;

function sweepOf(bindings: number, at: number, sweeps: number): SweepReport {
  const startedAt = BEGAN_AT + at * PERIOD_MS;
  const isLast = at === sweeps - 1;
  const entries = Array.from({ length: bindings }, (_, index) => index);
  const found = entries.flatMap((index) => findingOf(index, at, isLast));
  const unknown = isLast ? entries.filter((index) => index % 2_500 === 7).map(unknownOf) : [];
  const named = new Set([...found, ...unknown].map(({ name }) => name));
  return {
    version: 1,
    sweepId: `sweep-${at}`,
    mode: "metadata",
    plan: false,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(startedAt + 1_500).toISOString(),
    bindings,
    checked: bindings - unknown.length,
    shardsQueued: 0,
    targets: [
      ...found,
      ...unknown,
      ...entries
        .filter((index) => !named.has(placeOf(index).name))
        .map((index): TargetRow => {
          const turns = Math.floor((at + (index % 48)) / 48);
          const changedAt = BEGAN_AT + (turns * 48 - (index % 48)) * PERIOD_MS - 45_000;
          return {
            ...placeOf(index),
            finding: null,
            action: "none",
            versionId: `${hex(index * 48 + turns)}-8c1f-4f5e-9a57-1d2f6b7c0e11`,
            writtenAt: new Date(changedAt + latencyOf(index, at)).toISOString(),
            sourceChangedAt: new Date(changedAt).toISOString(),
          };
        }),
    ],
    orphansUnknown: [],
    calls: { aws: Math.ceil(bindings / 100), kubernetes: Math.ceil(bindings / 200), throttles: 0 },
  };
}

const unknownOf = (index: number): TargetRow => ({
  ...placeOf(index),
  finding: null,
  action: "unknown",
  code: "CLUSTER_UNAVAILABLE",
  advice: "The API server did not answer. Nothing to do if it returns; otherwise check the network.",
});

function findingOf(index: number, at: number, isLast: boolean): TargetRow[] {
  const place = placeOf(index);
  const old = { versionId: "9a0c4d1e-0000-4000-8000-000000000000" };
  if ((index * 7 + at * 13) % 1_999 === 3) {
    const written = { action: "update", outcome: "written" } as const;
    return index % 3 === 0
      ? [
          {
            ...place,
            ...written,
            finding: "TAMPERED",
            fields: [{ field: "data.password", what: "changed", manager: "kubectl-edit" }],
          },
        ]
      : [{ ...place, ...written, ...old, finding: "STALE", staleMs: 60_000 + (index % 17) * 21_000 }];
  }
  if (!isLast) return [];
  switch (index % 3_300) {
    case 40: {
      const code = "TARGET_NOT_OURS";
      return [{ ...place, finding: "NOT_OURS", action: "refuse", code, advice: REFUSALS[code] }];
    }
    case 41:
      return [
        {
          ...place,
          ...old,
          finding: "STALE",
          action: "update",
          staleMs: 2_460_000,
          outcome: "failed",
          code: "CLUSTER_THROTTLED",
          advice: "The API server asks to wait. It will be tried again.",
        },
      ];
    case 42: {
      const code = "SOURCE_MISSING";
      return [{ ...place, finding: code, action: "refuse", code, advice: REFUSALS[code] }];
    }
    default:
      return [];
  }
}

const placeOf = (index: number) => ({
  ...targetOf(index),
  source: sourceOf(index),
  observed: "metadata" as const,
});

const targetOf = (index: number) => ({
  cluster: `prod-${["eu", "us", "ap"][index % 3]}-${1 + (index % 4)}`,
  namespace: `team-${["shop", "search", "billing", "media", "mail"][index % 5]}`,
  name: `${["database", "queue", "cache", "api-token"][index % 4]}-${index}`,
});

const sourceOf = (index: number): string =>
  `prod/${["shop", "search", "billing", "media", "mail"][index % 5]}/${["database", "queue", "cache", "api-token"][index % 4]}-${index}`;

const latencyOf = (index: number, at: number): number =>
  ((index * 7_919 + at * 104_729) % 997) + 350 + (index % 211 === 0 ? 9_000 : 0);

const hex = (index: number): string => index.toString(16).padStart(8, "0");
