/** A promise that was broken. Names, versions and times only, never a value. */
export type Violation = { readonly rule: Rule; readonly what: string };

/** What is promised; docs/reliability.md explains each. */
export const RULES = {
  order: "No older value lands after a newer one in the life of a Secret",
  promise: "An invocation that succeeded has left no target behind that it was to write",
  settled: "In the end every Secret holds AWSCURRENT, and no sweep finds drift",
  deletion: "Nothing is deleted that should not be",
  absence: "A source is called missing only when it is",
  token: "No token is used past its life, or past the credentials that it was signed with",
  queue: "Nothing gets lost between an event, its repeats and the failure queues",
  leak: "No secret value stands anywhere but in a Secret's data",
  annotation: "The version that a Secret is annotated with is the one that it holds",
} as const satisfies Record<string, string>;

export type Rule = keyof typeof RULES;
