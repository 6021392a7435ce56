import type { Budget, Scope } from "./state.ts";

const NOTHING: Budget = {
  deletions: 0,
  foreign: 0,
  crashes: 0,
  orphans: 0,
  staleReads: 0,
  lostAnswers: 0,
  unanswered: 0,
  minutes: 0,
};

const LIMITS = { conflictsMax: 4, confirmationsMax: 3, rereadsMax: 1, staleInARow: 1 } as const;

const told = (move: number) => ({ for: move, isTold: true });
const untold = (move: number) => ({ for: move, isTold: false });

/** Each scope is explored exhaustively by itself: together they would have too many states. */
export const SCOPES = {
  "two moves, two invocations, an existing Secret": {
    ...LIMITS,
    versions: "abc",
    isBoundBefore: true,
    invocations: [told(1), told(2)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, lostAnswers: 1, minutes: 1 },
  },
  "a rotation and its rollback": {
    ...LIMITS,
    versions: "aba",
    isBoundBefore: true,
    invocations: [told(1), told(2)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, lostAnswers: 1, minutes: 1 },
  },
  "no Secret yet": {
    ...LIMITS,
    versions: "ab",
    isBoundBefore: false,
    invocations: [untold(0), told(1)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, lostAnswers: 1, foreign: 1, staleReads: 1 },
  },
  "an operator deletes the Secret": {
    ...LIMITS,
    versions: "ab",
    isBoundBefore: true,
    invocations: [untold(0), told(1)],
    budget: { ...NOTHING, deletions: 2, foreign: 1, crashes: 1 },
  },
  "stale reads of AWSCURRENT": {
    ...LIMITS,
    versions: "abc",
    isBoundBefore: true,
    invocations: [told(1), untold(2)],
    budget: { ...NOTHING, staleReads: 2, minutes: 2 },
  },
  "stale reads, and one that is killed": {
    ...LIMITS,
    versions: "ab",
    isBoundBefore: true,
    invocations: [untold(1), untold(1)],
    budget: { ...NOTHING, staleReads: 3, crashes: 2, orphans: 1, minutes: 1 },
  },
  "a rollback and stale reads": {
    ...LIMITS,
    versions: "aba",
    isBoundBefore: true,
    invocations: [told(1), told(2)],
    budget: { ...NOTHING, staleReads: 2, minutes: 1 },
  },
  "three invocations": {
    ...LIMITS,
    conflictsMax: 3,
    versions: "abc",
    isBoundBefore: true,
    invocations: [untold(0), untold(1), untold(2)],
    budget: NOTHING,
  },
} as const satisfies Record<string, Scope>;

/** Not replayed on the code, because a Secret can be changed there. */
export const IMMUTABLE_SCOPES = {
  "an immutable Secret, two moves, one killed": {
    ...LIMITS,
    versions: "abc",
    isBoundBefore: true,
    isImmutable: true,
    invocations: [told(1), told(2)],
    budget: { ...NOTHING, crashes: 1, lostAnswers: 1, foreign: 1, deletions: 1 },
  },
  "an immutable Secret, a rotation and its rollback": {
    ...LIMITS,
    versions: "aba",
    isBoundBefore: true,
    isImmutable: true,
    invocations: [told(1), told(2)],
    budget: { ...NOTHING, crashes: 1, staleReads: 1, minutes: 1 },
  },
} as const satisfies Record<string, Scope>;

/** Bindings are published meanwhile. Not replayed on the code, which has one file of bindings there. */
export const RULES_SCOPES = {
  "two generations, an existing Secret": {
    ...LIMITS,
    conflictsMax: 2,
    versions: "a",
    generations: "pq",
    isBoundBefore: true,
    invocations: [untold(0), untold(0)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, unanswered: 2 },
  },
  "two generations, no Secret yet": {
    ...LIMITS,
    conflictsMax: 2,
    versions: "a",
    generations: "pq",
    isBoundBefore: false,
    invocations: [untold(0), untold(0)],
    budget: { ...NOTHING, deletions: 1, unanswered: 1 },
  },
  "a binding is removed and comes back": {
    ...LIMITS,
    versions: "ab",
    generations: "p-q",
    isBoundBefore: true,
    invocations: [{ ...untold(0), isSweep: true }, untold(1)],
    budget: { ...NOTHING, crashes: 1, unanswered: 1 },
  },
} as const satisfies Record<string, Scope>;

/** The same with more at once: some seconds each, so only for `test/chaos/model/run.ts`. */
export const LARGE_SCOPES = {
  "two generations and a move, one killed": {
    ...LIMITS,
    versions: "ab",
    generations: "pq",
    isBoundBefore: true,
    invocations: [untold(0), told(1)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, unanswered: 1 },
  },
  "three generations, three invocations": {
    ...LIMITS,
    conflictsMax: 2,
    versions: "a",
    generations: "pqr",
    isBoundBefore: true,
    invocations: [untold(0), untold(0), untold(0)],
    budget: { ...NOTHING, unanswered: 2 },
  },
  "two generations, no Secret yet, one killed": {
    ...LIMITS,
    versions: "a",
    generations: "pq",
    isBoundBefore: false,
    invocations: [untold(0), untold(0)],
    budget: { ...NOTHING, crashes: 1, lostAnswers: 1, deletions: 1 },
  },
  "a rollback and another rotation, three invocations, one killed": {
    ...LIMITS,
    conflictsMax: 3,
    versions: "abac",
    isBoundBefore: true,
    invocations: [told(1), told(2), told(3)],
    budget: { ...NOTHING, crashes: 1, orphans: 1 },
  },
  "a rollback announced twice, a stale read, one killed": {
    ...LIMITS,
    conflictsMax: 3,
    versions: "aba",
    isBoundBefore: true,
    invocations: [told(1), told(2), told(2)],
    budget: { ...NOTHING, crashes: 1, orphans: 1, staleReads: 1, minutes: 1 },
  },
} as const satisfies Record<string, Scope>;
