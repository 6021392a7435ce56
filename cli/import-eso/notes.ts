type Note = { readonly kind: "value" | "conduct"; readonly text: string };

const value = (text: string): Note => ({ kind: "value", text });
const conduct = (text: string): Note => ({ kind: "conduct", text });

/**
 * Differences between External Secrets Operator and a converted binding. `value`: for some values the Secret differs, and
 * `--check` says whether the present ones are among them. `conduct`: the data is the same, but the behaviour differs.
 */
export const NOTES = {
  NUMBER_SPELLING: value(
    "Differs only for a property that is a number with an exponent or trailing zeros, such as 1e3 or 1.10: the operator writes 1000 and 1.1, and the relay keeps the spelling.",
  ),
  NESTED_SPELLING: value(
    'Differs only for an object or a list that has spaces or escapes, such as {"a": 1}: the operator keeps them, and the relay writes {"a":1}.',
  ),
  KEY_REPEATED: value(
    'Differs only for a source that has a key twice, such as {"a":"x","a":"y"}: for a property the operator writes x, the first value, and the relay y, the last.',
  ),
  PATH_TWICE: value(
    'Differs only for a nested object in a key that the source has twice, such as {"a":{"b":"x"},"a":{"b":"y"}}: the operator writes x, and the relay y.',
  ),
  NULL_REFUSED: value(
    'Differs only for a property path whose value is null, such as a.b in {"a":{"b":null}}: the operator writes an empty string, and the relay refuses the Secret.',
  ),
  INDEX_OR_KEY: value(
    'Differs only for a number in a path that is a key, such as a.0 in {"a":{"0":"x"}}: the operator reads x, and the relay, which reads it as the index of a list, refuses the Secret.',
  ),
  ILLEGAL_KEYS_REFUSED: value(
    "Differs only for a source with a key that no Secret can have, such as my key: the operator writes my_key (with conversionStrategy: Unicode its number), and the relay refuses the Secret until extract renames the key.",
  ),
  RENAMED_ALIKE: value(
    "Differs only for a source with two keys that get the same name, such as db_a and a without db_: the operator keeps one of them, and the relay refuses the Secret.",
  ),
  EMPTY_REFUSED: value(
    "Differs only for a source without any key, {}: the operator writes an empty Secret, and the relay refuses it.",
  ),
  B64DEC_REFUSED: value(
    "Differs only for a value that is not base64, such as abc!: the operator's b64dec writes an error text into the Secret, and the relay refuses the Secret.",
  ),
  ABSENT_KEY_REFUSED: value(
    'Differs only for a source without a key that the template reads by index, such as index . "a" for {"b":"x"}: the operator writes nothing in its place, and the relay refuses the Secret.',
  ),
  LITERAL_LINES: value(
    "Differs only for a value with a line break or a control character in a literal of templateFrom, such as a certificate: the operator reads it as YAML and mostly fails, and the relay writes the value.",
  ),
  TLS_CHECKED: value(
    "Differs only for a certificate or key that no server can use, such as a key of another certificate: the operator writes it, and the relay refuses the Secret. The relay also mends line ends, such as a missing last one.",
  ),
  DOCKER_CONFIG_CHECKED: value(
    'Differs only for a Docker configuration that kubelet can\'t use, such as {"auths":{}} without credentials: the operator writes it, and the relay refuses the Secret. The relay also removes a byte order mark.',
  ),
  SSH_KEY_CHECKED: value(
    "Differs only for a private key that ssh can't use, such as a public key in its place: the operator writes it, and the relay refuses the Secret. The relay also mends line ends, such as a missing last one.",
  ),
  BASIC_AUTH_CHECKED: value(
    "Differs only for a username with a colon, such as a:b, or without username and password: the operator writes it, and the relay refuses the Secret.",
  ),
  FOREIGN_KEYS_KEPT: conduct(
    "If another field manager adds a key to the Secret, the operator removes it. The relay keeps and reports it, unless the binding has foreignKeys: remove. A key that the operator wrote is removed when its source drops it.",
  ),
  AUTO_DECODES: conduct(
    "Each value that could be base64 or base64url is decoded, as before, also a plain text that only looks encoded, such as test1234.",
  ),
  FIND_FIXED: conduct(
    "The sources are the secrets that find matches today. For a secret that is created or tagged later, run the command again. If one of them is deleted, the operator drops its key, and the relay keeps the Secret and reports the missing source. With path or tags, the operator also leaves out secrets that its role cannot read.",
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
