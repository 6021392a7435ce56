import type { MutationName } from "./mutations.ts";

/** The settings of one run. On the sandbox equal settings give the same run. */
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
  /** A bug that the run must find. */
  readonly mutation?: MutationName;
};

/** Durations: those of Lambda and the schedule, or shorter ones for real servers. */
export type Pace = {
  /** Lambda retries after these. */
  readonly retryDelaysMs: readonly number[];
  readonly metadataSweepEveryMs: number;
  readonly valuesSweepEveryMs: number;
  readonly shardVisibilitySeconds: number;
  /** The maximum delay of a late event. */
  readonly lateEventMsMax: number;
  readonly outageMs: readonly [number, number];
  readonly restartMs: readonly [number, number];
  /** How long a response of Secrets Manager may show the state before the last move. */
  readonly staleMs: number;
  /** Lifetime of a function's credentials. */
  readonly credentialsMs: number;
  readonly tamperEveryMs: number;
  readonly holdEveryMs: number;
  readonly holdMs: readonly [number, number];
  /** When a deleted source is recreated: earliest and latest. */
  readonly recreateMs: readonly [number, number];
  /** How long the end of a run waits, until no Secret is contested. */
  readonly contestMs: number;
  readonly storeOutageMs: readonly [number, number];
  /** How long S3 accepts requests and never answers. */
  readonly storeSilenceMs: readonly [number, number];
  /** From the deletion of a stack until it is there again. */
  readonly stackGoneMs: readonly [number, number];
  /** How long nothing is published in the empty bucket of a new stack. */
  readonly unpublishedMs: readonly [number, number];
  /** How often the bindings of a relay are published, on average. */
  readonly publishEveryMs: number;
  /** How long AWS calls fail often. */
  readonly brownoutMs: readonly [number, number];
  /** How often something happens to a workload, on average, and how long it lasts. */
  readonly rolloutTroubleEveryMs: number;
  readonly rolloutTroubleMs: readonly [number, number];
};

const MINUTE_MS = 60_000;

/** Lambda retries after 1 minute, then 2; the schedule of template.yaml is 5 minutes, the sweep by values is slower. */
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
  storeOutageMs: [MINUTE_MS, 3 * MINUTE_MS],
  storeSilenceMs: [MINUTE_MS, 3 * MINUTE_MS],
  stackGoneMs: [20_000, 2 * MINUTE_MS],
  unpublishedMs: [30_000, 2 * MINUTE_MS],
  publishEveryMs: 25_000,
  brownoutMs: [MINUTE_MS, 4 * MINUTE_MS],
  rolloutTroubleEveryMs: 15_000,
  rolloutTroubleMs: [20_000, 15 * MINUTE_MS],
};

/** For real servers, whose minutes are real. */
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
  storeOutageMs: [5_000, 10_000],
  storeSilenceMs: [5_000, 10_000],
  stackGoneMs: [1_000, 4_000],
  unpublishedMs: [2_000, 6_000],
  publishEveryMs: 3_000,
  brownoutMs: [5_000, 10_000],
  // Real servers run without controllers, so these runs have no workloads.
  rolloutTroubleEveryMs: 5_000,
  rolloutTroubleMs: [1_000, 10_000],
};

/** The defaults of template.yaml. */
export const ROTATION_TIMEOUT_MS = 60_000;
export const SWEEP_TIMEOUT_MS = 300_000;
export const SHARD_RECEIVES_MAX = 3;
/** The function's minimum, so that a few hundred bindings make several shards. */
export const SHARD_BINDINGS_MAX = 50;

/** The function's minimum: DELETION_GRACE_MINUTES. */
export const DELETION_GRACE_MS = MINUTE_MS;

/** ROLLOUT_DEADLINE_SECONDS: shorter than the longest trouble of a rollout, so that it is reported as stuck. */
export const ROLLOUT_DEADLINE_MS = 8 * MINUTE_MS;

/** Fault rates, from 0 to 1. */
export const SHARES = {
  /** Of calls to AWS, to clusters and for credentials. */
  callsFail: 0.2,
  eventsLost: 0.05,
  eventsTwice: 0.15,
  eventsLate: 0.1,
  /** Of the messages that look at a rollout. */
  followUpsLost: 0.1,
  followUpsTwice: 0.15,
  followUpsLate: 0.1,
  invocationsKilled: 0.05,
  /** Two publishers at once. */
  publishersAtOnce: 0.4,
  publishersKilled: 0.2,
  rollbacks: 0.25,
  /** Rotations that follow the previous one within seconds. */
  bursts: 0.4,
  /** Of calls to AWS during a brownout. */
  callsFailInBrownout: 0.75,
} as const;

/**
 * The clocks of two environments are at most twice this apart. Together with `staleMs` it must stay below the minute
 * in which the fence treats the relay's own write as recent, by the writer's clock.
 */
export const SKEW_MS_MAX = 20_000;
