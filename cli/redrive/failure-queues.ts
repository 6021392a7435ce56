/** A failure queue of the stack. `output` is the stack output with its URL. */
export type FailureQueue = {
  readonly name: string;
  readonly output: string;
  readonly holds: string;
  /** The kind of its messages, which decides the recipient of a replay. */
  readonly kind: "events" | "sweeps" | "shards";
};

const queue = (name: string, kind: FailureQueue["kind"], holds: string): FailureQueue => {
  return { name, output: `${name}Url`, holds, kind };
};

export const FAILURE_QUEUES: readonly FailureQueue[] = [
  queue("RotationFailureQueue", "events", "events that never reached the rotation function or failed there"),
  queue("ReconcileFailureQueue", "sweeps", "sweeps that could not be started or finished"),
  queue("WorkDeadLetterQueue", "shards", "parts of sweeps that could not be finished"),
];
