import type { PlantName } from "./planted.ts";

/** What one run is to be like. The same settings give the same run on the sandbox. */
export type ChaosSettings = {
  readonly seed: number;
  readonly backend: "sandbox" | "real";
  /** How long faults last, in the world's own time. */
  readonly minutes: number;
  /** Moves of AWSCURRENT within that time, rollbacks included. */
  readonly rotations: number;
  /** Kubernetes Secrets, over all clusters. */
  readonly bindings: number;
  readonly clusters: number;
  /** A bug to be found. */
  readonly plant?: PlantName;
};

/** How long things take: Lambda's and the schedule's own times, or shorter ones where minutes are real minutes. */
export type Pace = {
  /** Lambda invokes again after these. */
  readonly retryDelaysMs: readonly number[];
  readonly metadataSweepEveryMs: number;
  readonly valuesSweepEveryMs: number;
  readonly shardVisibilitySeconds: number;
  /** An event that is late comes at most so late. */
  readonly lateEventMsMax: number;
  readonly outageMs: readonly [number, number];
  readonly restartMs: readonly [number, number];
  /** How long an answer of Secrets Manager may be from before the last move. */
  readonly staleMs: number;
  /** How long credentials of a function live. */
  readonly credentialsMs: number;
  readonly tamperEveryMs: number;
  readonly holdEveryMs: number;
  readonly holdMs: readonly [number, number];
  /** From when until when a deleted source is created again. */
  readonly recreateMs: readonly [number, number];
  /** How long the end of a run waits, so that no Secret is contested any more. */
  readonly contestMs: number;
  /** How long AWS has a bad time. */
  readonly brownoutMs: readonly [number, number];
};

const MINUTE_MS = 60_000;

/** Lambda waits 1 minute, then 2; the schedule of template.yaml is 5 minutes, that of values slower. */
export const PACE_OF_AWS: Pace = {
  retryDelaysMs: [MINUTE_MS, 2 * MINUTE_MS],
  metadataSweepEveryMs: 5 * MINUTE_MS,
  valuesSweepEveryMs: 10 * MINUTE_MS,
  shardVisibilitySeconds: 1_800,
  lateEventMsMax: 10 * MINUTE_MS,
  outageMs: [4 * MINUTE_MS, 8 * MINUTE_MS],
  restartMs: [2_000, 8_000],
  staleMs: 5_000,
  credentialsMs: 15 * MINUTE_MS,
  tamperEveryMs: 20_000,
  holdEveryMs: 60_000,
  holdMs: [MINUTE_MS, 6 * MINUTE_MS],
  recreateMs: [10_000, 12 * MINUTE_MS],
  contestMs: 65 * MINUTE_MS,
  brownoutMs: [MINUTE_MS, 4 * MINUTE_MS],
};

/** For real servers, whose minutes pass as slowly as everybody's. */
export const PACE_OF_REAL_SERVERS: Pace = {
  retryDelaysMs: [2_000, 4_000],
  metadataSweepEveryMs: 15_000,
  valuesSweepEveryMs: 40_000,
  shardVisibilitySeconds: 40,
  lateEventMsMax: 15_000,
  outageMs: [8_000, 15_000],
  restartMs: [200, 1_500],
  staleMs: 5_000,
  credentialsMs: 6 * MINUTE_MS,
  tamperEveryMs: 1_500,
  holdEveryMs: 5_000,
  holdMs: [3_000, 15_000],
  recreateMs: [500, 20_000],
  contestMs: 15_000,
  brownoutMs: [5_000, 10_000],
};

/** Of template.yaml, as they are unless somebody sets them. */
export const ROTATION_TIMEOUT_MS = 60_000;
export const SWEEP_TIMEOUT_MS = 300_000;
export const SHARD_RECEIVES_MAX = 3;
/** The least that the function takes, so that a few hundred bindings make several shards. */
export const SHARD_BINDINGS_MAX = 50;

/** The least that the function takes: DELETION_GRACE_MINUTES. */
export const DELETION_GRACE_MS = MINUTE_MS;

/** Shares of what goes wrong, from 0 to 1. */
export const SHARES = {
  /** Of calls to AWS, to clusters and for credentials. */
  callsFail: 0.2,
  eventsLost: 0.05,
  eventsTwice: 0.15,
  eventsLate: 0.1,
  invocationsKilled: 0.05,
  rollbacks: 0.25,
  /** Rotations that follow the one before within seconds. */
  bursts: 0.4,
  /** Of calls to AWS while it has a bad time. */
  callsFailInBrownout: 0.75,
} as const;

/**
 * Clocks of two environments are at most twice this apart. Together with `staleMs` it must stay below the minute in
 * which the fence takes a write of ours for fresh, which is by the writer's clock.
 */
export const SKEW_MS_MAX = 20_000;
