/** A queue of the stack for what failed. `output` is the stack's output with its URL. */
export type FailureQueue = {
  readonly name: string;
  readonly output: string;
  readonly holds: string;
  /** What its messages are, and so who takes them when they are sent again. */
  readonly kind: "events" | "sweeps" | "shards";
};

export const FAILURE_QUEUES: readonly FailureQueue[] = [
  {
    name: "RotationFailureQueue",
    output: "RotationFailureQueueUrl",
    holds: "events that the rotation function could not finish",
    kind: "events",
  },
  {
    name: "RuleDeadLetterQueue",
    output: "RuleDeadLetterQueueUrl",
    holds: "events that never reached the rotation function",
    kind: "events",
  },
  {
    name: "ReconcileFailureQueue",
    output: "ReconcileFailureQueueUrl",
    holds: "sweeps that could not be finished",
    kind: "sweeps",
  },
  {
    name: "ShardDeadLetterQueue",
    output: "ShardDeadLetterQueueUrl",
    holds: "parts of sweeps that could not be finished",
    kind: "shards",
  },
  {
    name: "SweepScheduleDeadLetterQueue",
    output: "SweepScheduleDeadLetterQueueUrl",
    holds: "sweeps that could not be started",
    kind: "sweeps",
  },
];
