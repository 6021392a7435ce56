import pLimit, { type LimitFunction } from "p-limit";
import { isRetryable, type RelayError } from "../relay-error.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { limitRetries, withoutRetries } from "./call-budget.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import { FenceConflict } from "./errors.ts";
import { type GuardedCall, guardCalls } from "./guard-calls.ts";

export type FailureLimits = {
  /** Concurrent writes to one namespace; as many as the cluster has connections. */
  readonly atOnce: number;
  /** Measures real time, in milliseconds. */
  readonly now?: () => number;
};

/**
 * A connection on which failures in one namespace take little time from the others: an admission webhook that hangs
 * holds each write for ten seconds, and a failed write is attempted four times.
 *
 * After several failures in a row, further calls of that kind in the namespace are attempted once each, since a webhook
 * may select only some objects. After too much time in failed calls, they fail with the last error. This is forgotten
 * with the invocation, which has one signal.
 */
export function limitFailures(
  cluster: ClusterConnection,
  { atOnce, now = () => performance.now() }: FailureLimits,
): ClusterConnection {
  const byInvocation = new WeakMap<AbortSignal, Map<string, Failures>>();
  const failuresOf = ({ signal }: TimeBudget, { namespace, resource, isWrite }: GuardedCall): Failures => {
    const known = byInvocation.get(signal) ?? new Map<string, Failures>();
    byInvocation.set(signal, known);
    const key = `${isWrite ? "write" : "read"} ${resource} ${namespace}`;
    const failures = known.get(key) ?? { inARow: 0, totalMs: 0, turn: pLimit(atOnce) };
    known.set(key, failures);
    return failures;
  };
  return guardCalls(cluster, (call, budget, run) => {
    const failures = failuresOf(budget, call);
    const attempt = async () => {
      if (failures.last !== undefined && failures.totalMs >= FAILING_MS_MAX) throw failures.last;
      const startedAt = now();
      const elapsedMs = () => now() - startedAt;
      const untilSlow = limitRetries(budget, () => (elapsedMs() < SLOW_MS ? budget.remainingMs() : 0));
      try {
        const result = await run(failures.inARow < RETRIED_MAX ? untilSlow : withoutRetries(budget));
        failures.inARow = 0;
        return result;
      } catch (error) {
        if (isRetryable(error) && !(error instanceof FenceConflict)) {
          failures.inARow += 1;
          failures.totalMs += elapsedMs();
          failures.last = error;
        }
        throw error;
      }
    };
    return call.isWrite ? failures.turn(attempt) : attempt();
  });
}

type Failures = {
  inARow: number;
  totalMs: number;
  readonly turn: LimitFunction;
  last?: RelayError;
};

const RETRIED_MAX = 3;

/** A transient failure of a call that has taken so long is not retried. */
const SLOW_MS = 5_000;

/** Of one namespace, summed over concurrent calls: twice the timeout of a request. */
const FAILING_MS_MAX = 20_000;
