type Note = { readonly kind: "value" | "conduct"; readonly text: string };

const value = (text: string): Note => ({ kind: "value", text });
const conduct = (text: string): Note => ({ kind: "conduct", text });

/**
 * Differences between External Secrets Operator and a converted binding. `value`: for some values the Secret differs, and
 * `--check` says whether the present ones are among them. `conduct`: the data is the same, but the behaviour differs.
 */
export const NOTES = {
  NUMBER_SPELLING: value(
    "Differs only for a number with an exponent or trailing zeros, such as 1.10: the operator writes 1.1, and the relay 1.10.",
  ),
  NESTED_SPELLING: value(
    'Differs only for an object or list with spaces or escapes, such as {"a": 1}: the operator keeps them, and the relay writes {"a":1}.',
  ),
  KEY_REPEATED: value(
    'Differs only for a key that the source has twice, such as {"a":"x","a":"y"}: the operator writes x, and the relay y.',
  ),
  PATH_TWICE: value(
    'Differs only for a nested object whose key the source has twice, such as {"a":{"b":"x"},"a":{"b":"y"}}: the operator writes x, and the relay y.',
  ),
  NULL_REFUSED: value(
    'Differs only for a path to null, such as a.b in {"a":{"b":null}}: the operator writes an empty string, and the relay refuses.',
  ),
  INDEX_OR_KEY: value(
    'Differs only for a number that is a key, such as a.0 in {"a":{"0":"x"}}: the operator reads x, and the relay refuses.',
  ),
  ILLEGAL_KEYS_REFUSED: value(
    "Differs only for a key that no Secret can have, such as my key: the operator writes my_key, and the relay refuses until extract renames it.",
  ),
  RENAMED_ALIKE: value(
    "Differs only for two keys that get one name, such as db_a and a without db_: the operator keeps one, and the relay refuses.",
  ),
  EMPTY_REFUSED: value(
    "Differs only for a source without any key, {}: the operator writes an empty Secret, and the relay refuses.",
  ),
  B64DEC_REFUSED: value(
    "Differs only for a value that is not base64, such as abc!: the operator writes an error text, and the relay refuses.",
  ),
  ABSENT_KEY_REFUSED: value(
    'Differs only for a missing key that a template reads by index, such as index . "a" for {}: the operator writes nothing, and the relay refuses.',
  ),
  LITERAL_LINES: value(
    "Differs only for a value with a line break or control character, such as a certificate: the operator mostly fails, and the relay writes it.",
  ),
  TLS_CHECKED: value(
    "Differs only for a certificate or key that servers can't use, such as of another pair: the relay refuses. It also corrects line ends.",
  ),
  DOCKER_CONFIG_CHECKED: value(
    'Differs only for a Docker configuration that kubelet can\'t use, such as {"auths":{}}: the relay refuses. It also removes a byte order mark.',
  ),
  SSH_KEY_CHECKED: value(
    "Differs only for a private key that ssh can't use, such as a public key: the relay refuses. It also corrects line ends.",
  ),
  BASIC_AUTH_CHECKED: value(
    "Differs only for a username with a colon, such as a:b, or no username and password: the relay refuses.",
  ),
  FOREIGN_KEYS_KEPT: conduct(
    "The operator removes keys of other field managers. The relay keeps and reports them, unless the binding has foreignKeys: remove.",
  ),
  AUTO_DECODES: conduct(
    "Plain text that only looks encoded, such as test1234, is decoded too, as by the operator.",
  ),
  FIND_FIXED: conduct(
    "The sources are the secrets that find matches today. For a new one, run the command again. If one is deleted, the operator drops its key; the relay keeps the key and reports it. With path or tags, the operator skips secrets that its role cannot read.",
  ),
  LAST_WINS: conduct(
    "If two sources have the same key, the later one wins, as with the operator. Plans and reports name the key.",
  ),
  OWN_ROLE: conduct(
    "The store reads with its own role. The relay's role needs permission for each source, and in another account a resource policy and a key policy.",
  ),
  SAME_ACCOUNT: conduct(
    "The source is a name. The conversion assumes the account and Region of the functions.",
  ),
  STORE_ASSUMED: conduct(
    "--assume-stores treats the missing store as AWS Secrets Manager in the account and Region of the functions, without a prefix.",
  ),
  STORE_CONDITIONS: conduct(
    "Only some namespaces may use the store. The Roles in the cluster limit the relay.",
  ),
  SECRET_STAYS: conduct(
    "A Secret is deleted with its ExternalSecret, but stays when its binding is removed, unless it has deletionPolicy: delete.",
  ),
  DELETED_WITH_BINDING: conduct("The Secret is also deleted after its binding is removed."),
  DELETED_AFTER_LAST: conduct(
    "If one of several sources is deleted, the operator removes its keys. The relay reports it, and deletes the Secret after the last source.",
  ),
  PINNED: conduct("The version is pinned: rotations do not change the Secret."),
  MERGE_CREATES: conduct(
    "The operator waits until the Secret exists. The relay creates the Secret, or adds its keys to it.",
  ),
  IMMUTABLE_REPORTED: conduct(
    "If the source changes, the operator reports nothing, and the relay reports the Secret as refused.",
  ),
  TOOL_NOTES_DROPPED: conduct("Annotations of kubectl and of forced refreshes are not copied to the Secret."),
  NAMESPACES_FIXED: conduct(
    "The namespaces are the ones found. A namespace that is labelled later needs its own target.",
  ),
};

export type NoteCode = keyof typeof NOTES;
