import { FINDINGS, type FindingCode } from "../../shared/assess/catalogue.ts";
import type { ActionKind, ForeignChange, ForeignKey } from "../../shared/assess/verdict.ts";
import type { LogCode } from "../../shared/runtime/log.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { RowOutcome, TargetRow } from "../../shared/sweep/target-row.ts";

/** A line in the log of the reconcile function. */
export type LogLine = { readonly at: number; readonly message: string };

/** The codes of the filter pattern. */
export const SWEEP_CODES: readonly LogCode[] = ["SWEEP_COMPLETED", "DRIFT_FOUND", "TARGET_UNKNOWN"];

/**
 * The newest sweep of all bindings in the log, as one report for each of its invocations. Secrets in order are not logged, so the reports
 * have no inventory.
 */
export function lastSweepOf(lines: readonly LogLine[]): SweepReport[] {
  const entries = lines.flatMap(parseLine);
  const completed = entries.filter(
    ({ logCode, plan, sweepId, since }) =>
      logCode === "SWEEP_COMPLETED" && plan !== true && sweepId !== undefined && since === undefined,
  );
  const sweepId = completed.reduce<LogEntry | undefined>(
    (newest, one) => (newest === undefined || one.at >= newest.at ? one : newest),
    undefined,
  )?.sweepId;
  if (sweepId === undefined) return [];
  const ofSweep = entries.filter((line) => line.sweepId === sweepId);
  const targets = ofSweep.flatMap(rowsOf);
  return completed
    .filter((line) => line.sweepId === sweepId)
    .map((line, index) => ({
      version: 1,
      sweepId,
      mode: line.mode === "values" ? "values" : "metadata",
      plan: false,
      ...(line.generation !== undefined && { generation: line.generation }),
      startedAt: new Date(line.at).toISOString(),
      endedAt: new Date(line.at).toISOString(),
      bindings: line.bindings ?? 0,
      checked: line.checked ?? 0,
      shardsQueued: line.shardsQueued ?? 0,
      // A log line does not name its invocation.
      targets: index === 0 ? targets : [],
      orphansUnknown: [],
      calls: { aws: line.awsCalls ?? 0, kubernetes: line.kubernetesCalls ?? 0, throttles: 0 },
    }));
}

const STRINGS = [
  ...(["logCode", "sweepId", "mode", "target", "source", "finding", "action", "code"] as const),
  ...(["advice", "until", "deleteAfter", "trackedBy"] as const),
];
const LISTS = ["fields", "foreignKeys"] as const;
const NUMBERS = [
  ...(["staleMs", "bindings", "checked", "shardsQueued", "awsCalls", "kubernetesCalls"] as const),
  ...(["generation", "since"] as const),
];

type LogEntry = { readonly at: number; readonly logCode: string; readonly plan?: boolean } & {
  readonly [Name in (typeof STRINGS)[number]]?: string;
} & { readonly [Name in (typeof LISTS)[number]]?: readonly string[] } & {
  readonly [Name in (typeof NUMBERS)[number]]?: number;
};

/** Drops other lines of the log group, and fields of the wrong type. */
function parseLine({ at, message }: LogLine): LogEntry[] {
  let line: unknown;
  try {
    line = JSON.parse(message);
  } catch {
    return [];
  }
  if (typeof line !== "object" || line === null || !("logCode" in line)) return [];
  const kept = Object.entries(line).filter(
    ([name, value]) =>
      (includes(STRINGS, name) && typeof value === "string") ||
      (includes(NUMBERS, name) && typeof value === "number") ||
      (name === "plan" && typeof value === "boolean") ||
      (includes(LISTS, name) && Array.isArray(value) && value.every((each) => typeof each === "string")),
  );
  const entry = Object.fromEntries(kept);
  return typeof entry.logCode === "string" ? [{ ...entry, at } as LogEntry] : [];
}

const includes = (names: readonly string[], name: string): boolean => names.includes(name);

function rowsOf(line: LogEntry): TargetRow[] {
  const { logCode, finding, target = "", source = "", code, advice, staleMs } = line;
  const { until, deleteAfter, trackedBy, fields = [], foreignKeys = [] } = line;
  const isUnknown = logCode === "TARGET_UNKNOWN";
  if (!isUnknown && logCode !== "DRIFT_FOUND") return [];
  if (finding !== undefined && !Object.hasOwn(FINDINGS, finding)) return [];
  const found = (finding ?? null) as FindingCode | null;
  return [
    {
      ...targetOf(target),
      source,
      finding: found,
      ...(isUnknown ? { action: "unknown" } : doneOf(line.action, found)),
      observed: "metadata", // not logged
      ...(code !== undefined && { code }),
      ...(advice !== undefined && { advice }),
      ...(staleMs !== undefined && { staleMs }),
      ...(until !== undefined && { until }),
      ...(deleteAfter !== undefined && { deleteAfter }),
      ...(trackedBy !== undefined && { trackedBy }),
      ...(fields.length > 0 && { fields: fields.flatMap(fieldOf) }),
      ...(foreignKeys.length > 0 && { foreignKeys: foreignKeys.map(foreignKeyOf) }),
    },
  ];
}

/** A line names the outcome instead of its action. */
function doneOf(
  logged: string | undefined,
  finding: FindingCode | null,
): Pick<TargetRow, "action" | "outcome"> {
  const action = ACTIONS.find((each) => each === logged);
  if (action !== undefined) return { action };
  const outcome = OUTCOMES.find((each) => each === logged);
  if (outcome === undefined) return { action: "none" };
  if (outcome === "deleted" || outcome === "held-back") return { action: "delete", outcome };
  return { action: finding === "MISSING" ? "create" : "update", outcome };
}

const ACTIONS: readonly ActionKind[] = ["none", "create", "update", "replace", "delete", "refuse", "unknown"];
const OUTCOMES: readonly RowOutcome[] = ["written", "unchanged", "deleted", "held-back", "refused", "failed"];

/** `cluster/namespace/name`; only a cluster can contain a slash. */
function targetOf(text: string) {
  const [name = "", namespace = "", ...cluster] = text.split("/").reverse();
  return { cluster: cluster.reverse().join("/"), namespace, name };
}

/** The format of shared/sweep/report-sweep.ts: `data.password changed by kubectl-edit at 2026-…`. */
function fieldOf(text: string): ForeignChange[] {
  const [, field, what, manager, at] =
    /^(.+?) (changed|removed|taken)(?: by (.*?))?(?: at (\d{4}-\S+))?$/.exec(text) ?? [];
  if (field === undefined) return [];
  return [
    {
      field: field as ForeignChange["field"],
      what: what as ForeignChange["what"],
      ...(manager !== undefined && { manager }),
      ...(at !== undefined && { at }),
    },
  ];
}

/** `password (kubectl-edit)`; a key contains no space. */
function foreignKeyOf(text: string): ForeignKey {
  const [, key = text, manager] = /^(\S+) \((.*)\)$/.exec(text) ?? [];
  return { key, ...(manager !== undefined && { manager }) };
}
