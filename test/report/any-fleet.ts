import type { Finding } from "../../shared/sweep/finding.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";

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
  const findings = entries.flatMap((index) => findingOf(index, at, isLast));
  const unchecked = isLast
    ? entries
        .filter((index) => index % 2_500 === 7)
        .map((index) => ({
          target: targetOf(index),
          source: sourceOf(index),
          code: "CLUSTER_UNAVAILABLE",
          advice: "The API server did not answer. Nothing to do if it returns; otherwise check the network.",
        }))
    : [];
  const named = new Set([...findings, ...unchecked].map(({ target }) => target.name));
  return {
    version: 1,
    sweepId: `sweep-${at}`,
    mode: "metadata",
    plan: false,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(startedAt + 1_500).toISOString(),
    bindings,
    checked: bindings - unchecked.length,
    shardsQueued: 0,
    findings,
    unchecked,
    unseen: [],
    calls: { aws: Math.ceil(bindings / 100), kubernetes: Math.ceil(bindings / 200), throttles: 0 },
    inventory: entries
      .filter((index) => !named.has(targetOf(index).name))
      .map((index) => {
        const turns = Math.floor((at + (index % 48)) / 48);
        const changedAt = BEGAN_AT + (turns * 48 - (index % 48)) * PERIOD_MS - 45_000;
        return {
          target: targetOf(index),
          source: sourceOf(index),
          versionId: `${hex(index * 48 + turns)}-8c1f-4f5e-9a57-1d2f6b7c0e11`,
          writtenAt: new Date(changedAt + latencyOf(index, at)).toISOString(),
          sourceChangedAt: new Date(changedAt).toISOString(),
        };
      }),
  };
}

function findingOf(index: number, at: number, isLast: boolean): Finding[] {
  const target = targetOf(index);
  const source = sourceOf(index);
  if ((index * 7 + at * 13) % 1_999 === 3) {
    const [code, details] =
      index % 3 === 0
        ? ([
            "TAMPERED",
            { fields: [{ field: "data.password", what: "changed", manager: "kubectl-edit" }] },
          ] as const)
        : ([
            "STALE",
            {
              staleMs: 60_000 + (index % 17) * 21_000,
              liveVersionId: "9a0c4d1e-0000-4000-8000-000000000000",
            },
          ] as const);
    return [{ code, target, source, details, action: { kind: "repaired" } }];
  }
  if (!isLast) return [];
  switch (index % 3_300) {
    case 40:
      return [
        {
          code: "NOT_OURS",
          target,
          source,
          details: {},
          action: {
            kind: "refused",
            code: "TARGET_NOT_OURS",
            advice:
              "A Secret of that name is there already. Set adopt: true to take it over, or bind another name.",
          },
        },
      ];
    case 41:
      return [
        {
          code: "STALE",
          target,
          source,
          details: { staleMs: 2_460_000, liveVersionId: "9a0c4d1e-0000-4000-8000-000000000000" },
          action: {
            kind: "failed",
            code: "CLUSTER_THROTTLED",
            advice: "The API server asks to wait. It will be tried again.",
          },
        },
      ];
    case 42:
      return [{ code: "SOURCE_MISSING", target, source, details: {}, action: { kind: "left" } }];
    default:
      return [];
  }
}

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
