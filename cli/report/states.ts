import { isDrift, type RowOutcome, type TargetRow } from "../../shared/sweep/target-row.ts";

/** The most urgent first. */
export const STATES = {
  refused: {
    name: "Action needed",
    meaning: "The relay refused to change it, and a retry does not help. An operator must act.",
  },
  drifted: { name: "Drifted", meaning: "It differs from its binding. The next sweep repairs it." },
  unknown: { name: "Unknown", meaning: "Not checked, so it may have drifted." },
  left: {
    name: "Left unchanged",
    meaning: "Unchanged on purpose: held, retained, waiting for deletion, or only reported.",
  },
  repaired: { name: "Repaired", meaning: "It had drifted, and the relay repaired it." },
  fresh: { name: "In order", meaning: "It has the current version of its source." },
} as const satisfies Record<string, { name: string; meaning: string }>;

export type State = keyof typeof STATES;

export const STATE_ORDER = Object.keys(STATES) as readonly State[];

export function stateOf(row: TargetRow): State {
  const { action, code, finding, outcome } = row;
  if (action === "unknown") return "unknown";
  if (code === "LOCAL_BINDINGS") return "left"; // only the deployed function deletes it
  if (outcome !== undefined) return STATE_OF_OUTCOME[outcome];
  if (finding === null && action === "none") return "fresh";
  if (action === "none") return "left";
  if (action !== "refuse") return "drifted"; // a plan
  const isOutOfOrder = finding === null ? code !== "HELD" : isDrift(row);
  return isOutOfOrder ? "refused" : "left";
}

const STATE_OF_OUTCOME: Readonly<Record<RowOutcome, State>> = {
  written: "repaired",
  unchanged: "repaired",
  deleted: "repaired",
  "held-back": "refused",
  refused: "refused",
  failed: "drifted",
};
