import type { LogCode } from "../../shared/observability/log.ts";
import {
  type Action,
  FINDING_CODES,
  type FindingCode,
  type TamperedField,
} from "../../shared/sweep/finding.ts";
import type { SweepReport, Unchecked } from "../../shared/sweep/report.ts";

/** A line of the reconcile function's log. */
export type LogLine = { readonly at: number; readonly message: string };

/** Only lines with these codes are needed; the filter pattern asks for them. */
export const SWEEP_CODES: readonly LogCode[] = ["SWEEP_COMPLETED", "DRIFT_FOUND", "TARGET_UNCHECKED"];

/**
 * The newest sweep that the log tells of, as a report: one for each invocation that it took. What is in order is not
 * logged, so such a report has no inventory.
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
  const findings = ofSweep.flatMap((line) => (line.logCode === "DRIFT_FOUND" ? findingOf(line) : []));
  const unchecked = ofSweep.flatMap((line) => (line.logCode === "TARGET_UNCHECKED" ? uncheckedOf(line) : []));
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
      findings: index === 0 ? findings : [],
      unchecked: index === 0 ? unchecked : [],
      unseen: [],
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
  readonly fields?: readonly string[];
  readonly staleMs?: number;
  readonly bindings?: number;
  readonly checked?: number;
  readonly shardsQueued?: number;
  readonly awsCalls?: number;
  readonly kubernetesCalls?: number;
};

const TEXTS = ["logCode", "sweepId", "mode", "target", "source", "finding", "action", "code", "advice"];
const NUMBERS = ["staleMs", "bindings", "checked", "shardsQueued", "awsCalls", "kubernetesCalls"];

/** Whatever else is in the log group, or not of the type that we write, is left out. */
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
      (name === "fields" && Array.isArray(value) && value.every((each) => typeof each === "string")),
  );
  const told = Object.fromEntries(kept);
  return typeof told.logCode === "string" ? [{ ...told, at } as Told] : [];
}

function findingOf(line: Told): SweepReport["findings"] {
  const { finding = "", target = "", source = "", staleMs, fields = [] } = line;
  if (!Object.hasOwn(FINDING_CODES, finding)) return [];
  const details = {
    ...(staleMs !== undefined && { staleMs }),
    ...(fields.length > 0 && { fields: fields.flatMap(fieldOf) }),
  };
  return [
    { code: finding as FindingCode, target: targetOf(target), source, details, action: actionOf(line) },
  ];
}

function uncheckedOf({ target = "", source = "", code = "", advice = "" }: Told): Unchecked[] {
  return [{ target: targetOf(target), source, code, advice }];
}

function actionOf({ action, code = "UNEXPECTED_FAULT", advice = "" }: Told): Action {
  switch (action) {
    case "refused":
    case "failed":
      return { kind: action, code, advice };
    case "repaired":
    case "already-right":
    case "deleted":
    case "held-back":
      return { kind: action };
    default:
      return { kind: "left" };
  }
}

/** `cluster/namespace/name`, of which neither of the last two holds a slash. */
function targetOf(text: string) {
  const [name = "", namespace = "", ...cluster] = text.split("/").reverse();
  return { cluster: cluster.reverse().join("/"), namespace, name };
}

/** As shared/observability/report-sweep.ts says it: `data.password changed by kubectl-edit at 2026-…`. */
function fieldOf(text: string): TamperedField[] {
  const [, field, what, manager, at] =
    /^(.+?) (changed|removed|taken)(?: by (.*?))?(?: at (\d{4}-\S+))?$/.exec(text) ?? [];
  if (field === undefined) return [];
  return [
    {
      field: field as TamperedField["field"],
      what: what as TamperedField["what"],
      ...(manager !== undefined && { manager }),
      ...(at !== undefined && { at }),
    },
  ];
}
