import type { TimeBudget } from "../runtime/time-budget.ts";

/**
 * The time of one call. A guard may limit the retries of transient failures further. That does not limit the retries of
 * a refusal by an API server that has just started, because a refusal is final.
 */
export type CallBudget = TimeBudget & {
  /** The time for retries of transient failures. Default: the remaining time. */
  readonly retriesMs?: () => number;
};

/** Limits the retries of transient failures to this time. */
export function limitRetries(budget: CallBudget, retriesMs: () => number): CallBudget {
  return {
    signal: budget.signal,
    remainingMs: () => budget.remainingMs(),
    retriesMs: () => Math.min(retriesMs(), remainingForRetries(budget)),
  };
}

/** A transient failure of a call with this budget is not retried. */
export const withoutRetries = (budget: CallBudget): CallBudget => limitRetries(budget, () => 0);

/** The same budget, as the retries of transient failures see it. */
export function budgetForRetries(budget: CallBudget): TimeBudget {
  return { signal: budget.signal, remainingMs: () => remainingForRetries(budget) };
}

const remainingForRetries = (budget: CallBudget): number => budget.retriesMs?.() ?? budget.remainingMs();
