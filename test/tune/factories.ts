import { loadOfNumbers } from "../../cli/tune/load.ts";
import type { Situation } from "../../cli/tune/situation.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Two hundred secrets in three namespaces, as in docs/operate.md. */
export function situation(changes: Partial<Situation> = {}): Situation {
  return {
    load: loadOfNumbers({ secrets: 200, namespaces: 3, targets: 600, clusters: 1 }),
    intervalMs: HOUR,
    sweepIntervalMs: 5 * MINUTE,
    rotateEveryMs: 30 * 24 * HOUR,
    credentialLifeMs: HOUR,
    eventLoss: 0.001,
    deliveryDelayMs: 2_000,
    pollFailures: 0,
    toleratedMs: 15 * MINUTE,
    ...changes,
  };
}
