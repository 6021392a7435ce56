/** A promise that was broken. Names, versions and times only, never a value. */
export type Violation = { readonly rule: Rule; readonly what: string };

/** What is promised; docs/chaos.md explains each. */
export const RULES = {
  order: "No older value lands after a newer one in the life of a Secret",
  promise: "While an invocation ran that succeeded, each of its targets held what was current then",
  settled: "In the end every Secret holds what its sources do, and no sweep finds drift",
  deletion: "A Secret is deleted only after two looks, and never when its source exists",
  bystander:
    "A Secret or key of another owner, the second relay included, is neither changed nor deleted, whatever its labels",
  hold: "While an operator holds a Secret, no relay writes it",
  foreign: "Keys that the relay did not write stay, unless the binding removes them",
  refusal: "Nothing is refused, and so left to a person, but for a reason that is there",
  absence: "A source is called missing only when it is",
  token:
    "No token is used past its life, past the credentials that it was signed with, or where it is not good",
  queue: "Nothing gets lost between an event, its repeats and the failure queues",
  leak: "No secret value stands anywhere but in a Secret's data",
  annotation: "The version that a Secret is annotated with is the one that it holds",
} as const satisfies Record<string, string>;

export type Rule = keyof typeof RULES;
