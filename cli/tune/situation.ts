import type { Load } from "./load.ts";

/** The installation that a plan is for, as far as it is known or assumed. */
export type Situation = {
  readonly load: Load;
  /** Between two polls of the operator that the user has today. */
  readonly intervalMs: number;
  readonly sweepIntervalMs: number;
  readonly rotateEveryMs: number;
  readonly credentialLifeMs: number;
  readonly eventLoss: number;
  readonly deliveryDelayMs: number;
  readonly pollFailures: number;
  /** The longest time for which a Secret may hold an old value. */
  readonly toleratedMs: number;
};
