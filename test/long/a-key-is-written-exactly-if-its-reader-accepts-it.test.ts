import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { checkType } from "../../shared/render/check-type.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { runs } from "../harness/property-runs.ts";
import { aBinding } from "../render/factories.ts";

const folder = mkdtempSync(join(tmpdir(), "keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PASSPHRASE = "a passphrase of a test";

/** Whether the program ends with 0. A missing program is an error, not a refusal. */
function accepts(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: ["ignore", "ignore", "ignore"] });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") throw error;
    return false;
  }
}

function withFile(text: string, run: (path: string) => boolean): boolean {
  const path = join(folder, "key");
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return run(path);
}

const sshReads = (text: string): boolean =>
  withFile(
    text,
    (path) =>
      accepts("ssh-keygen", "-y", "-P", "", "-f", path) ||
      accepts("ssh-keygen", "-y", "-P", PASSPHRASE, "-f", path),
  );
const opensslReads = (command: "pkey" | "x509", text: string): boolean =>
  withFile(text, (path) => accepts("openssl", command, "-noout", "-in", path));

/** The text that is written for the key of the Secret; undefined if it is refused. */
function writtenFor(type: string, data: Record<string, string>, key: string): string | undefined {
  const values = new Map(Object.entries(data).map(([name, text]) => [name, SecretValue.fromText(text)]));
  try {
    const { mended } = checkType(aBinding({ type: `kubernetes.io/${type}` }), values);
    const bytes = (mended.get(key) ?? values.get(key))?.expose();
    return Buffer.from(bytes ?? []).toString("utf8");
  } catch {
    return undefined;
  }
}

function generate(name: string, ...args: string[]): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-N", "", ...args, "-f", path]);
  return readFileSync(path, "utf8");
}

const exported = (kind: "rsa" | "ec" | "ed25519", curve = "P-256", extra: object = {}): string => {
  const options = kind === "rsa" ? { modulusLength: 2048 } : { namedCurve: curve };
  const { privateKey } = generateKeyPairSync(kind as "ec", options as { namedCurve: string });
  return privateKey.export({ type: "pkcs8", format: "pem", ...extra }).toString();
};

const SSH_KEYS: Readonly<Record<string, string>> = {
  "OpenSSH ed25519": generate("ed25519", "-t", "ed25519"),
  "OpenSSH ECDSA": generate("ecdsa", "-t", "ecdsa", "-b", "521"),
  "OpenSSH RSA": generate("rsa", "-t", "rsa", "-b", "2048"),
  "OpenSSH with a passphrase": generate("locked", "-t", "ed25519", "-N", PASSPHRASE),
  "PEM RSA": generate("pem-rsa", "-t", "rsa", "-b", "2048", "-m", "PEM"),
  "PEM ECDSA": generate("pem-ecdsa", "-t", "ecdsa", "-m", "PEM"),
  "PEM RSA with a passphrase": generate("pem-locked", "-t", "rsa", "-m", "PEM", "-N", PASSPHRASE),
  "PKCS #8 RSA": exported("rsa"),
  "PKCS #8 of another curve": exported("ec", "secp256k1"),
  "PKCS #8 with a passphrase": exported("ec", "P-256", { cipher: "aes-256-cbc", passphrase: PASSPHRASE }),
  "PEM RSA of 1024 bits": generate("short", "-t", "rsa", "-b", "1024", "-m", "PEM"),
};

type Mutation = (text: string, at: number) => string;

const inBody = (change: (body: string[], at: number) => string[]): Mutation => {
  return (text, at) => {
    const lines = text.split("\n");
    const end = lines.findIndex((line) => line.includes("-----END"));
    const start = lines.findIndex((line) => line.includes("-----BEGIN"));
    if (start < 0 || end <= start) return text;
    const body = change(lines.slice(start + 1, end), at);
    return [...lines.slice(0, start + 1), ...body, ...lines.slice(end)].join("\n");
  };
};
const joined = (body: string[]): string => body.join("");

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "no change": (text) => text,
  "no last line break": (text) => text.trimEnd(),
  "line ends of Windows": (text) => text.replaceAll("\n", "\r\n"),
  "line ends of old Macs": (text) => text.replaceAll("\n", "\r"),
  indented: (text) => text.replace(/^(?=.)/gm, "    "),
  "spaces at line ends": (text) => text.replaceAll("\n", "  \n"),
  "a byte order mark": (text) => `\ufeff${text}`,
  "a comment before it": (text) => `# a key\n${text}`,
  "a blank line before it": (text) => `\n${text}`,
  "text after it": (text) => `${text}\nsome text`,
  "one line": (text) => text.replaceAll("\n", ""),
  "spaces for line breaks": (text) => text.replaceAll("\n", " "),
  "\\n for line breaks": (text) => text.replaceAll("\n", "\\n"),
  "blank lines between": (text) => text.replaceAll("\n", "\n\n"),
  "an indented body": inBody((body) => body.map((line) => `  ${line}`)),
  "a body in one line": inBody((body) => [joined(body)]),
  "a body in lines of another width": inBody(
    (body, at) => joined(body).match(new RegExp(`.{1,${(at % 300) + 1}}`, "g")) ?? [],
  ),
  "a body without its last line": inBody((body) => body.slice(0, -1)),
  "a body without its first line": inBody((body) => body.slice(1)),
  "a body without padding": inBody((body) => body.map((line) => line.replace(/=+$/, ""))),
  "no body": inBody(() => []),
  "cut off": (text, at) => text.slice(0, at % (text.length + 1)),
  "without its head": (text, at) => text.slice(at % (text.length + 1)),
  "without one character": (text, at) => text.slice(0, at % text.length) + text.slice((at % text.length) + 1),
};

/** Without the passphrase, no program finds damage in this form. */
const isDamageHidden = (text: string): boolean => text.includes("\nProc-Type: 4,ENCRYPTED\n");

const anyMutation = fc.record({ name: fc.constantFrom(...Object.keys(MUTATIONS)), at: fc.nat(5_000) });
const mutate = (text: string, changes: readonly { name: string; at: number }[]): string =>
  changes.reduce(
    (changed, { name, at }) => (changed === "" ? "" : (MUTATIONS[name]?.(changed, at) ?? changed)),
    text,
  );

/** Nothing that the reader accepts is refused, and nothing that it refuses is written. */
function expectJudgement(given: string, written: string | undefined, reads: (text: string) => boolean): void {
  if (written === undefined) expect(reads(given), "refused, but the reader accepts it").toBe(false);
  else if (!isDamageHidden(written)) expect(reads(written), "written, but the reader refuses it").toBe(true);
}

describe("for ssh", () => {
  const judge = (text: string) =>
    expectJudgement(text, writtenFor("ssh-auth", { "ssh-privatekey": text }, "ssh-privatekey"), sshReads);

  it.each(Object.keys(SSH_KEYS))("%s, with each mutation", (name) => {
    for (const mutation of Object.keys(MUTATIONS)) {
      judge(mutate(SSH_KEYS[name] ?? "", [{ name: mutation, at: 250 }]));
    }
    judge(`${SSH_KEYS[name]}${SSH_KEYS[name]}`);
  });

  it("any key with any mutations", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(SSH_KEYS)),
        fc.array(anyMutation, { minLength: 1, maxLength: 3 }),
        (key, changes) => judge(mutate(key, changes)),
      ),
      { numRuns: runs(30) },
    );
  });
});

describe("for OpenSSL", () => {
  const { pair } = makeCertificates();
  const tls = { "tls.crt": pair.certificatePem, "tls.key": pair.keyPem };

  it.each([
    ["tls.key", "pkey"],
    ["tls.crt", "x509"],
  ] as const)("%s with any mutations", (name, command) => {
    const judge = (changes: readonly { name: string; at: number }[]) => {
      const text = mutate(tls[name], changes);
      const written = writtenFor("tls", { ...tls, [name]: text }, name);
      expectJudgement(text, written, (given) => opensslReads(command, given));
    };
    for (const mutation of Object.keys(MUTATIONS)) judge([{ name: mutation, at: 250 }]);
    fc.assert(fc.property(fc.array(anyMutation, { minLength: 1, maxLength: 3 }), judge), {
      numRuns: runs(30),
    });
  });
});
