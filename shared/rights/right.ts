/** One thing that the relay's group must be allowed to do in a cluster. */
export type Right = {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: Verb;
  /** The one object that it is about; absent where no name is known beforehand, or the verb knows none. */
  readonly name?: string;
  /** What the relay does with it. */
  readonly why: string;
};

/** In the order in which a Role lists them. */
export const VERBS = ["get", "list", "create", "patch", "delete"] as const;

export type Verb = (typeof VERBS)[number];
