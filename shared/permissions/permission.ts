/** One thing that the relay's group must be allowed to do in a cluster. */
export type Permission = {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: Verb;
  /** The name of the object; absent if unknown in advance or not supported by the verb. */
  readonly name?: string;
  /** Why the relay needs it. */
  readonly why: string;
};

/** In the order of a Role. */
export const VERBS = ["get", "list", "create", "patch", "delete"] as const;

export type Verb = (typeof VERBS)[number];
