/** The default. The functions use ROLLOUT_DEADLINE_SECONDS. */
export const ROLLOUT_DEADLINE_MS = 1_800_000;
