/** A broken promise. Contains names, versions and times only, never a value. */
export type Violation = { readonly rule: Rule; readonly what: string };

/** The promises; docs/internals/chaos.md explains each. */
export const RULES = {
  order: "No older value lands after a newer one in the life of a Secret",
  promise: "During a successful invocation, each of its targets held a version that was current at that time",
  rules: "No older rules land after newer ones in the life of a Secret",
  publication: "Bindings come into force complete, and one generation after the other",
  blocked: "While S3 does not answer, rotations go on whose rules have not changed",
  wait: "An invocation of a rotation waits for S3 for two seconds at most",
  settled: "In the end every Secret holds the values of its sources, and no sweep finds drift",
  deletion:
    "A Secret is deleted only after two observations, and never while its source exists or the bindings in force bind it",
  bystander:
    "A Secret or key of another owner, the second relay included, is neither changed nor deleted, whatever its labels",
  hold: "While an operator holds a Secret, no relay writes it",
  foreign: "Keys that the relay did not write stay, unless the binding removes them",
  refusal: "A target is refused, and left to an operator, only for a reason that exists",
  absence: "A source is reported as missing only when it is",
  token: "No token is used past its life, past the life of its signing credentials, or at another cluster",
  queue: "No event is lost between its delivery, its retries and the failure queues",
  leak: "Secret values appear only in a Secret's data",
  annotation: "A Secret holds the version in its annotation",
  restart:
    "A workload restarts once for each version of its Secret, and in the end runs with the one that the Secret has",
  rollout: "A rollout is recorded as complete, or reported as stuck, only if it is",
  watch: "Every watch ends: the rollout is recorded with a time to effective, or reported as stuck",
} as const satisfies Record<string, string>;

export type Rule = keyof typeof RULES;
