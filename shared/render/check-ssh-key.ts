import { createPrivateKey } from "node:crypto";
import { isPem, type PemBlock, readPem } from "../bindings/expressions/pem.ts";
import type { Refuse } from "./errors.ts";
import { whyNoPem } from "./why-no-pem.ts";

const KEY = "ssh-privatekey";

/**
 * Returns the text to write, which `ssh` reads. OpenSSH is strict about its own format: it refuses a key without its last
 * line break, with the line ends of Windows, indented, or with text before it. A passphrase is allowed.
 */
export function checkSshKey(text: string, refuse: Refuse): string {
  const invalid = (why: string): never => refuse("SSH_KEY_INVALID", `${KEY} ${why}`);
  if (/^\s*PuTTY-User-Key-File-/.test(text)) {
    return invalid("is a key of PuTTY. Convert it: puttygen KEY -O private-openssh -o NEW_KEY");
  }
  if (/^\s*(?:(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ AAAA|---- BEGIN SSH2 PUBLIC KEY)/.test(text)) {
    return invalid(PUBLIC);
  }
  const pem = readPem(text);
  if (!isPem(pem)) return invalid(whyNoPem(KEY, pem));
  const key = pem.blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (key === undefined) {
    return invalid(
      pem.blocks.some(({ label }) => label.endsWith("PUBLIC KEY")) ? PUBLIC : "holds no private key.",
    );
  }
  if (key.label === "OPENSSH PRIVATE KEY") {
    if (!pem.text.startsWith(key.text)) {
      return invalid(
        "has text before the key, where OpenSSH reads nothing. Remove the text from the source.",
      );
    }
    return pem.text;
  }
  if (isEncrypted(key) || isOfSsh(key)) return pem.text;
  return invalid("is a private key of a kind that OpenSSH does not read. Use ed25519, RSA or ECDSA.");
}

const PUBLIC = "is a public key. Put the private key into the source.";

const isEncrypted = ({ label, text }: PemBlock): boolean =>
  label.startsWith("ENCRYPTED") || /\nProc-Type:.*ENCRYPTED\n/.test(text);

/** As read by OpenSSH 9.6 and later; before that, it reads ed25519 only in its own format. */
function isOfSsh({ text }: PemBlock): boolean {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = createPrivateKey(text);
  if (kind === "rsa") return (details?.modulusLength ?? 0) >= RSA_BITS_MIN;
  if (kind === "ec") return CURVES.has(details?.namedCurve ?? "");
  return kind === "ed25519" || kind === "dsa";
}

const RSA_BITS_MIN = 1024;
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
