type Note = { readonly kind: "value" | "conduct"; readonly text: string };

const value = (text: string): Note => ({ kind: "value", text });
const conduct = (text: string): Note => ({ kind: "conduct", text });

/**
 * Differences between External Secrets Operator and a converted binding. `value`: some values differ in the Secret.
 * `conduct`: the data is the same, but the behaviour differs.
 */
export const NOTES = {
  NUMBER_SPELLING: value(
    "A property that is a number or a nested object: External Secrets Operator writes 1.10 as 1.1 and 1e3 as 1000, and keeps the whitespace of an object. The relay keeps the spelling of the number, and removes the whitespace. If the source has a key twice, the operator uses the first value and the relay the last.",
  ),
  NESTED_SPELLING: value(
    "A key of the source that is an object or a list: the operator keeps its whitespace, the relay removes it.",
  ),
  NULL_REFUSED: value(
    "A property path whose value is null: the operator writes an empty string. The relay tries the other reading of the property, as a key or as a path, and refuses the Secret if neither has a value.",
  ),
  INDEX_OR_KEY: value(
    "A number in a path: for the operator it is a list index, or a key of an object. For the relay it is only a list index, and the Secret is refused if the value is not a list.",
  ),
  ILLEGAL_KEYS_REFUSED: value(
    "A key of the source that is not a valid key of a Secret: the operator replaces each illegal character by _, or with conversionStrategy: Unicode by its number. The relay refuses the Secret until extract renames the key.",
  ),
  PATH_TWICE: value(
    "The keys of a nested object, if the source has a key on the way to it twice: the operator uses the first value and the relay the last.",
  ),
  AUTO_DECODES: conduct(
    "Each value that could be base64 or base64url is decoded, as before, also a plain text that only looks encoded, such as test1234.",
  ),
  FIND_FIXED: conduct(
    "The sources are the secrets that find matches today. For a secret that is created or tagged later, run the command again. If one of them is deleted, the operator drops its key, and the relay keeps the Secret and reports the missing source. With path or tags, the operator also leaves out secrets that its role cannot read.",
  ),
  LITERAL_LINES: value(
    "A value with a line break or a control character in a literal of templateFrom: the operator reads it as a part of the YAML, which mostly fails. The relay writes the value as it is.",
  ),
  LAST_WINS: conduct(
    "If two sources have the same key, the later source wins, as before. The plan and the report name the key.",
  ),
  OWN_ROLE: conduct(
    "The store reads with its own role or credentials. The relay reads with its own role, which needs permission for each source. A source in another account also needs a resource policy and a key policy.",
  ),
  SAME_ACCOUNT: conduct(
    "The source is given by name: the secret with this name in the account and Region of the functions. The conversion assumes that the store reads there.",
  ),
  STORE_ASSUMED: conduct(
    "The store was not among the manifests. Because of --assume-stores, it is treated as AWS Secrets Manager in the account and Region of the functions, without a prefix.",
  ),
  STORE_CONDITIONS: conduct(
    "Only some namespaces may use the store. For the relay, the Roles in the cluster limit the namespaces.",
  ),
  SECRET_STAYS: conduct(
    "If an ExternalSecret is deleted, its Secret is deleted, too. If a binding is removed, its Secret stays, unless it has deletionPolicy: delete.",
  ),
  DELETED_WITH_BINDING: conduct(
    "With deletionPolicy: delete, the Secret is also deleted after its binding is removed, as it was with its ExternalSecret.",
  ),
  DELETED_AFTER_LAST: conduct(
    "If one of several sources is deleted, the operator removes its keys from the Secret. The relay keeps the Secret as it is, reports the missing source, and deletes the Secret after the last source is deleted.",
  ),
  PINNED: conduct("The version is pinned: rotations do not change the Secret, as before."),
  MERGE_CREATES: conduct(
    "With creationPolicy: Merge the operator waits until the Secret exists. With ownership: keys the relay creates the Secret, or adds its keys to an existing one.",
  ),
  IMMUTABLE_REPORTED: conduct(
    "The Secret is immutable. If its source changes, the operator reports nothing; the relay reports the Secret as refused.",
  ),
  TOOL_NOTES_DROPPED: conduct(
    "Annotations of kubectl and of forced refreshes on the ExternalSecret are not copied to the Secret.",
  ),
  NAMESPACES_FIXED: conduct(
    "The namespaces are fixed to the ones found. A namespace that is labelled later needs its own target.",
  ),
};

export type NoteCode = keyof typeof NOTES;
