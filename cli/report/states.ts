import type { Action } from "../../shared/sweep/finding.ts";

/** What a reader wants to know of a target first. In the order in which they want to see it. */
export const STATES = {
  refused: {
    name: "Needs you",
    meaning: "It was left as it is, and repeating will not help: a person must act.",
  },
  drifted: { name: "Drifted", meaning: "It is not as it should be; the next sweep repairs it." },
  unchecked: {
    name: "Not compared",
    meaning: "It could not be looked at. That is not the absence of drift.",
  },
  left: {
    name: "Left alone",
    meaning: "It is left on purpose: nothing is to be repaired, or its policy is to retain it.",
  },
  repaired: { name: "Repaired", meaning: "It had drifted, and is as it should be again." },
  fresh: { name: "In order", meaning: "It holds what its source holds now." },
} as const satisfies Record<string, { name: string; meaning: string }>;

export type State = keyof typeof STATES;

export const STATE_ORDER = Object.keys(STATES) as readonly State[];

export function stateOf(action: Action): State {
  switch (action.kind) {
    case "repaired":
    case "already-right":
    case "deleted":
      return "repaired";
    case "refused":
    case "held-back":
      return "refused";
    case "failed":
      return "drifted";
    case "left":
      return "left";
    case "planned":
      return action.would === "nothing" ? "left" : "drifted";
  }
}
