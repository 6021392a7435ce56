import { FINDINGS, type FindingCode } from "../../shared/assess/catalogue.ts";
import type { ActionKind, ForeignChange, ForeignKey } from "../../shared/assess/verdict.ts";
import type { LogCode } from "../../shared/observability/log.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { RowOutcome, TargetRow } from "../../shared/sweep/target-row.ts";

/** A line of the reconcile function's log. */
export type LogLine = { readonly at: number; readonly message: string };

/** Only lines with these codes are needed; the filter pattern asks for them. */
export const SWEEP_CODES: readonly LogCode[] = ["SWEEP_COMPLETED", "DRIFT_FOUND", "TARGET_UNKNOWN"];

/**
 * The newest sweep in the log, as reports: one for each invocation that it took. What is in order is not logged, so
 * such a report has no inventory.
 */
export function lastSweepOf(lines: readonly LogLine[]): SweepReport[] {
  const told = lines.flatMap(parseLine);
  const completed = told.filter(
    ({ logCode, plan, sweepId }) => logCode === "SWEEP_COMPLETED" && plan !== true && sweepId !== undefined,
  );
  const sweepId = completed.reduce<Told | undefined>(
    (newest, one) => (newest === undefined || one.at >= newest.at ? one : newest),
    undefined,
  )?.sweepId;
  if (sweepId === undefined) return [];
  const ofSweep = told.filter((line) => line.sweepId === sweepId);
  const targets = ofSweep.flatMap(rowsOf);
  return completed
    .filter((line) => line.sweepId === sweepId)
    .map((line, index) => ({
      version: 1,
      sweepId,
      mode: line.mode === "values" ? "values" : "metadata",
      plan: false,
      startedAt: new Date(line.at).toISOString(),
      endedAt: new Date(line.at).toISOString(),
      bindings: line.bindings ?? 0,
      checked: line.checked ?? 0,
      shardsQueued: line.shardsQueued ?? 0,
      // A line of the log does not say which invocation found it.
      targets: index === 0 ? targets : [],
      orphansUnknown: [],
      calls: { aws: line.awsCalls ?? 0, kubernetes: line.kubernetesCalls ?? 0, throttles: 0 },
    }));
}

type Told = {
  readonly at: number;
  readonly logCode: string;
  readonly sweepId?: string;
  readonly mode?: string;
  readonly plan?: boolean;
  readonly target?: string;
  readonly source?: string;
  readonly finding?: string;
  readonly action?: string;
  readonly code?: string;
  readonly advice?: string;
  readonly until?: string;
  readonly deleteAfter?: string;
  readonly trackedBy?: string;
  readonly fields?: readonly string[];
  readonly foreignKeys?: readonly string[];
  readonly staleMs?: number;
  readonly bindings?: number;
  readonly checked?: number;
  readonly shardsQueued?: number;
  readonly awsCalls?: number;
  readonly kubernetesCalls?: number;
};

const TEXTS = [
  "logCode",
  "sweepId",
  "mode",
  "target",
  "source",
  "finding",
  "action",
  "code",
  "advice",
  "until",
  "deleteAfter",
  "trackedBy",
];
const LISTS = ["fields", "foreignKeys"];
const NUMBERS = ["staleMs", "bindings", "checked", "shardsQueued", "awsCalls", "kubernetesCalls"];

/** Other lines in the log group, and fields of another type than the relay writes, are left out. */
function parseLine({ at, message }: LogLine): Told[] {
  let line: unknown;
  try {
    line = JSON.parse(message);
  } catch {
    return [];
  }
  if (typeof line !== "object" || line === null || !("logCode" in line)) return [];
  const kept = Object.entries(line).filter(
    ([name, value]) =>
      (TEXTS.includes(name) && typeof value === "string") ||
      (NUMBERS.includes(name) && typeof value === "number") ||
      (name === "plan" && typeof value === "boolean") ||
      (LISTS.includes(name) && Array.isArray(value) && value.every((each) => typeof each === "string")),
  );
  const told = Object.fromEntries(kept);
  return typeof told.logCode === "string" ? [{ ...told, at } as Told] : [];
}

function rowsOf(line: Told): TargetRow[] {
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

/** A line names the outcome in place of the action that led to it. */
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

/** `cluster/namespace/name`; a namespace and a name hold no slash. */
function targetOf(text: string) {
  const [name = "", namespace = "", ...cluster] = text.split("/").reverse();
  return { cluster: cluster.reverse().join("/"), namespace, name };
}

/** As shared/observability/report-sweep.ts writes it: `data.password changed by kubectl-edit at 2026-…`. */
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

/** `password (kubectl-edit)`; a key holds no space. */
function foreignKeyOf(text: string): ForeignKey {
  const [, key = text, manager] = /^(\S+) \((.*)\)$/.exec(text) ?? [];
  return { key, ...(manager !== undefined && { manager }) };
}
