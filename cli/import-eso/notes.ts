/**
 * What is good to know about something that was converted. `value`: for some values the Secret is another, as said.
 * `conduct`: the data is the same, and something around it is not.
 */
export const NOTES = {
  NUMBER_SPELLING: {
    kind: "value",
    text: "A property that is a number or a nested object: External Secrets Operator writes 1.10 as 1.1 and 1e3 as 1000, and keeps the spaces of an object; the relay keeps the number as the source spells it, and no spaces. Of a key that stands twice in the source, the operator takes the first, the relay the last.",
  },
  NESTED_SPELLING: {
    kind: "value",
    text: "A key of the source that is an object or a list: the operator keeps the spaces between its parts, the relay does not.",
  },
  NULL_REFUSED: {
    kind: "value",
    text: "A property by a path that is null: the operator writes an empty text, the relay looks for the next reading and refuses the Secret when there is none.",
  },
  INDEX_OR_KEY: {
    kind: "value",
    text: "A number in a path: for the operator it is a place in a list, or a key of that name in an object; for the relay a place only, and the Secret is refused where there is no list.",
  },
  ILLEGAL_KEYS_REFUSED: {
    kind: "value",
    text: "A key of the source that can't be a key of a Secret: the operator writes _ in place of what is illegal, the relay refuses the Secret until it is renamed in extract.",
  },
  LAST_WINS: {
    kind: "conduct",
    text: "Where two sources make the same key the later one wins, as it did; the plan and the report name the key.",
  },
  OWN_ROLE: {
    kind: "conduct",
    text: "The store reads with a role or credentials of its own; the relay reads with its own role, which needs the right to each source, and for another account the source's resource policy and key policy too.",
  },
  SAME_ACCOUNT: {
    kind: "conduct",
    text: "The source is written as a name: that is the secret of this name in the account and Region of the functions. It is taken that the store reads there.",
  },
  STORE_ASSUMED: {
    kind: "conduct",
    text: "The store was not among the manifests. As asked, it is taken for AWS Secrets Manager in the account and Region of the functions, without a prefix.",
  },
  STORE_CONDITIONS: {
    kind: "conduct",
    text: "The store lets only some namespaces use it. With the relay, what it may write is said by the Roles in the cluster.",
  },
  SECRET_STAYS: {
    kind: "conduct",
    text: "When the ExternalSecret is deleted its Secret goes with it; when a binding is removed its Secret stays, unless deletionPolicy: delete says otherwise.",
  },
  DELETED_WITH_BINDING: {
    kind: "conduct",
    text: "deletionPolicy: delete also deletes the Secret once its binding is removed, as deleting the ExternalSecret did.",
  },
  PINNED: {
    kind: "conduct",
    text: "The version is pinned: rotations do not touch the Secret, as before.",
  },
  MERGE_CREATES: {
    kind: "conduct",
    text: "creationPolicy: Merge waits for somebody to create the Secret; with ownership: keys the relay creates it, and adds to one that is there.",
  },
  IMMUTABLE_REPORTED: {
    kind: "conduct",
    text: "The Secret is immutable. When its source changes, the operator says nothing; the relay reports it as refused.",
  },
  TOOL_NOTES_DROPPED: {
    kind: "conduct",
    text: "Notes of kubectl and of forced refreshes, which stand on the ExternalSecret, are not put on the Secret.",
  },
  NAMESPACES_FIXED: {
    kind: "conduct",
    text: "The namespaces are those that were found. A namespace that is labelled later needs a target of its own.",
  },
} as const satisfies Record<string, { kind: "value" | "conduct"; text: string }>;

export type NoteCode = keyof typeof NOTES;
