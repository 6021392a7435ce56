/**
 * OpenSSL does not know OpenSSH's own format (PROTOCOL.key of OpenSSH), so its structure is read here: what ssh refuses
 * when it opens a key. Of a key with a passphrase only the outer part can be read.
 */
export function isOpensshKey(bytes: Buffer): boolean {
  const outer = readerOf(bytes);
  if (outer.take(MAGIC.length).toString("latin1") !== MAGIC) return false;
  const [cipher, derivation] = [outer.string().toString(), outer.string().toString()];
  outer.string();
  if (outer.number() !== 1) return false;
  const publicKey = outer.string();
  const secret = outer.string();
  if (outer.failed || secret.length === 0 || secret.length % 8 !== 0) return false;
  if (cipher !== "none") return derivation === "bcrypt";
  if (derivation !== "none" || outer.left() > 0) return false;

  const inner = readerOf(secret);
  const [check, again] = [inner.number(), inner.number()];
  if (check !== again) return false;
  const name = inner.string().toString();
  const kind = KINDS.get(name);
  if (kind === undefined) return false;
  const fields = Array.from({ length: kind.fields }, () => inner.string());
  if (kind.isOnDevice === true) {
    inner.string();
    inner.take(1);
    inner.string();
    inner.string();
  }
  inner.string(); // the comment
  const padding = inner.take(inner.left());
  const known = readerOf(publicKey);
  const isSame =
    known.string().toString() === name && kind.open.every((at) => known.string().equals(fields[at] ?? EMPTY));
  return (
    isSame &&
    !inner.failed &&
    !known.failed &&
    (kind.isOnDevice === true || known.left() === 0) &&
    padding.every((byte, at) => byte === at + 1)
  );
}

const MAGIC = "openssh-key-v1\0";
const EMPTY = Buffer.alloc(0);

type Kind = {
  /** How many strings there are between the name and the comment. */
  readonly fields: number;
  /** Which of them the public key repeats. */
  readonly open: readonly number[];
  /** The key is on a security key, and the file holds its handle. */
  readonly isOnDevice?: true;
};

const ECDSA: Kind = { fields: 3, open: [0, 1] };
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["ssh-rsa", { fields: 6, open: [1, 0] }],
  ["ssh-dss", { fields: 5, open: [0, 1, 2, 3] }],
  ["ssh-ed25519", { fields: 2, open: [0] }],
  ["ecdsa-sha2-nistp256", ECDSA],
  ["ecdsa-sha2-nistp384", ECDSA],
  ["ecdsa-sha2-nistp521", ECDSA],
  ["sk-ssh-ed25519@openssh.com", { fields: 1, open: [0], isOnDevice: true }],
  ["sk-ecdsa-sha2-nistp256@openssh.com", { fields: 2, open: [0, 1], isOnDevice: true }],
]);

/** Reads numbers and strings with their lengths before them. After a failure everything is empty. */
function readerOf(bytes: Buffer) {
  let at = 0;
  const reader = {
    failed: false,
    left: () => bytes.length - at,
    take(length: number): Buffer {
      if (reader.failed || length > bytes.length - at) {
        reader.failed = true;
        return EMPTY;
      }
      at += length;
      return bytes.subarray(at - length, at);
    },
    number(): number {
      const taken = reader.take(4);
      return taken.length === 4 ? taken.readUInt32BE() : Number.NaN;
    },
    string: (): Buffer => reader.take(reader.number()),
  };
  return reader;
}
