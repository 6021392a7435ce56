import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { checkType } from "../../shared/render/check-type.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { makeCertificates, makeSshKey } from "../harness/certificates.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { aBinding, CANARY, shownData, textSource } from "./factories.ts";

const { authorityPem, pair, otherPair } = makeCertificates();
const sshKey = makeSshKey();
const encryptedKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" })
  .toString();
const exportKey = (curve: string): string =>
  (curve === "ed25519"
    ? generateKeyPairSync(curve)
    : generateKeyPairSync("ec", { namedCurve: curve })
  ).privateKey
    .export({ type: "pkcs8", format: "pem" })
    .toString();
const publicKey = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
const opensshKey = (body: string): string =>
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(body).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const registries = (entry: unknown): string => JSON.stringify({ auths: { "registry.example.com": entry } });

const check = (type: string, data: Record<string, string>) =>
  checkType(
    aBinding({ type: `kubernetes.io/${type}` }),
    new Map(Object.entries(data).map(([key, text]) => [key, SecretValue.fromText(text)])),
  );

const textIn = (data: ReadonlyMap<string, SecretValue>, key: string): string =>
  Buffer.from(data.get(key)?.expose() ?? []).toString("utf8");

describe("valid data is accepted:", () => {
  it.each<[what: string, type: string, data: Record<string, string>]>([
    ["a pair", "tls", { "tls.crt": pair.certificatePem, "tls.key": pair.keyPem }],
    [
      "a pair with its chain",
      "tls",
      { "tls.crt": pair.certificatePem + authorityPem, "tls.key": pair.keyPem },
    ],
    [
      "a registry with auth",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ auth: base64("u:p") }) },
    ],
    [
      "a registry with user and password",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ username: "u", password: "p" }) },
    ],
    ["the old format", "dockercfg", { ".dockercfg": JSON.stringify({ r: { auth: base64("u:p") } }) }],
    ["a user and a password", "basic-auth", { username: "u", password: "p:w" }],
    ["only a password", "basic-auth", { password: "p" }],
    ["an RSA key", "ssh-auth", { "ssh-privatekey": sshKey }],
    ["two RSA keys, of which ssh reads the first", "ssh-auth", { "ssh-privatekey": sshKey + sshKey }],
    ["an RSA key after a comment", "ssh-auth", { "ssh-privatekey": `# ours\n${sshKey}` }],
    ["an ed25519 key in PEM", "ssh-auth", { "ssh-privatekey": exportKey("ed25519") }],
    [
      "a registry without credentials beside one with them",
      "dockerconfigjson",
      {
        ".dockerconfigjson": JSON.stringify({
          auths: { a: {}, b: null, c: { auth: "" }, d: { auth: base64("u:p") } },
        }),
      },
    ],
    [
      "an auth without padding, and one with line breaks",
      "dockerconfigjson",
      {
        ".dockerconfigjson": JSON.stringify({
          auths: { a: { auth: "dTpwYQ" }, b: { auth: "dTpw\nYQ==\n" } },
        }),
      },
    ],
    [
      "names in capitals, as Go reads them",
      "dockerconfigjson",
      {
        ".dockerconfigjson": JSON.stringify({ AUTHS: { a: { Username: "u", PASSWORD: "p" } } }),
      },
    ],
    ["an encrypted key", "ssh-auth", { "ssh-privatekey": encryptedKey }],
    ["any data in a custom type", "other", { a: "b" }],
  ])("%s", (_, type, data) => {
    expect(() => check(type, data)).not.toThrow();
  });
});

describe("a value that no reader can use is refused by name:", () => {
  it.each<[code: string, what: string, type: string, data: Record<string, string>]>([
    ["TYPE_KEY_MISSING", "no key", "tls", { "tls.crt": pair.certificatePem }],
    ["TYPE_KEY_MISSING", "no certificate", "tls", { "tls.key": pair.keyPem }],
    [
      "TLS_PAIR_MISMATCH",
      "the key of another certificate",
      "tls",
      { "tls.crt": pair.certificatePem, "tls.key": otherPair.keyPem },
    ],
    [
      "TLS_PAIR_MISMATCH",
      "the chain before the leaf",
      "tls",
      { "tls.crt": authorityPem + pair.certificatePem, "tls.key": pair.keyPem },
    ],
    ["TLS_CERTIFICATE_INVALID", "no PEM", "tls", { "tls.crt": CANARY, "tls.key": pair.keyPem }],
    [
      "TLS_CERTIFICATE_INVALID",
      "a key in place of a certificate",
      "tls",
      { "tls.crt": pair.keyPem, "tls.key": pair.keyPem },
    ],
    [
      "TLS_CERTIFICATE_INVALID",
      "a damaged certificate",
      "tls",
      {
        "tls.crt": `-----BEGIN CERTIFICATE-----\n${base64(CANARY)}\n-----END CERTIFICATE-----`,
        "tls.key": pair.keyPem,
      },
    ],
    [
      "TLS_KEY_INVALID",
      "an encrypted key",
      "tls",
      { "tls.crt": pair.certificatePem, "tls.key": encryptedKey },
    ],
    ["TLS_KEY_INVALID", "no key at all", "tls", { "tls.crt": pair.certificatePem, "tls.key": CANARY }],
    ["TYPE_KEY_MISSING", "no config", "dockerconfigjson", { config: "{}" }],
    ["DOCKER_CONFIG_INVALID", "no JSON", "dockerconfigjson", { ".dockerconfigjson": CANARY }],
    ["DOCKER_CONFIG_INVALID", "no auths", "dockerconfigjson", { ".dockerconfigjson": "{}" }],
    ["DOCKER_CONFIG_INVALID", "no registry", "dockerconfigjson", { ".dockerconfigjson": '{"auths":{}}' }],
    [
      "DOCKER_CONFIG_INVALID",
      "an empty registry",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({}) },
    ],
    ["DOCKER_CONFIG_INVALID", "a list", "dockerconfigjson", { ".dockerconfigjson": registries([]) }],
    [
      "DOCKER_CONFIG_INVALID",
      "an auth that is not base64",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ auth: CANARY }) },
    ],
    [
      "DOCKER_CONFIG_INVALID",
      "an auth without a colon",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ auth: base64(CANARY) }) },
    ],
    ["DOCKER_CONFIG_INVALID", "a string", "dockercfg", { ".dockercfg": JSON.stringify({ r: CANARY }) }],
    ["TYPE_KEY_MISSING", "neither user nor password", "basic-auth", { user: "u" }],
    ["BASIC_AUTH_INVALID", "a colon in the user", "basic-auth", { username: `${CANARY}:`, password: "p" }],
    ["TYPE_KEY_MISSING", "no key", "ssh-auth", { key: sshKey }],
    ["SSH_KEY_INVALID", "no PEM", "ssh-auth", { "ssh-privatekey": CANARY }],
    ["SSH_KEY_INVALID", "a public key", "ssh-auth", { "ssh-privatekey": "ssh-rsa AAAAB3NzaC1yc2E= me" }],
    ["SSH_KEY_INVALID", "a public key in PEM", "ssh-auth", { "ssh-privatekey": publicKey }],
    ["SSH_KEY_INVALID", "a key of another curve", "ssh-auth", { "ssh-privatekey": exportKey("secp256k1") }],
    ["SSH_KEY_INVALID", "a certificate", "ssh-auth", { "ssh-privatekey": pair.certificatePem }],
    [
      "DOCKER_CONFIG_INVALID",
      "a user name that is a number",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ username: 1, password: CANARY }) },
    ],
    [
      "DOCKER_CONFIG_INVALID",
      "an auth with a space at its end",
      "dockerconfigjson",
      { ".dockerconfigjson": registries({ auth: `${base64("u:pa")} ` }) },
    ],
    [
      "DOCKER_CONFIG_INVALID",
      "only credHelpers",
      "dockerconfigjson",
      { ".dockerconfigjson": JSON.stringify({ auths: {}, credHelpers: { r: "ecr-login" } }) },
    ],
    ["SSH_KEY_INVALID", "a damaged OpenSSH key", "ssh-auth", { "ssh-privatekey": opensshKey(CANARY) }],
    [
      "SSH_KEY_INVALID",
      "a damaged RSA key",
      "ssh-auth",
      { "ssh-privatekey": sshKey.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA") },
    ],
  ])("%s: %s", (code, _, type, data) => {
    let error: unknown;
    try {
      check(type, data);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringContaining("app/db") });
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
  });
});

describe("what its reader would refuse is mended where that changes no key:", () => {
  const lines = (text: string) => text.trimEnd().split("\n");
  const indented = (text: string) =>
    lines(text)
      .map((line) => `    ${line}`)
      .join("\n");

  it.each<[what: string, change: (text: string) => string]>([
    ["its last line break is missing", (text) => text.trimEnd()],
    ["its lines end as on Windows", (text) => text.replaceAll("\n", "\r\n")],
    ["it is indented", indented],
    ["it begins with a byte order mark", (text) => `\ufeff${text}`],
    ["there are blank lines in it", (text) => text.replaceAll("\n", "\n\n")],
    [
      "its body is one line",
      (text) => {
        const all = lines(text);
        return `${all[0]}\n${all.slice(1, -1).join("")}\n${all.at(-1)}\n`;
      },
    ],
  ])("%s", (_, change) => {
    const ssh = check("ssh-auth", { "ssh-privatekey": change(sshKey) });
    const tls = check("tls", { "tls.crt": change(pair.certificatePem), "tls.key": change(pair.keyPem) });

    expect(textIn(ssh.mended, "ssh-privatekey")).toBe(sshKey);
    expect(textIn(tls.mended, "tls.crt")).toBe(`${pair.certificatePem.trimEnd()}\n`);
    expect(textIn(tls.mended, "tls.key")).toBe(`${pair.keyPem.trimEnd()}\n`);
  });

  it("a docker config after a byte order mark", () => {
    const config = registries({ auth: base64("u:p") });
    const { mended } = check("dockerconfigjson", { ".dockerconfigjson": `\ufeff${config}` });
    expect(textIn(mended, ".dockerconfigjson")).toBe(config);
  });

  it("and nothing else is touched", () => {
    const text = `Bag Attributes\n${pair.certificatePem.trimEnd()}\nmore\n`;
    const { mended } = check("tls", { "tls.crt": text, "tls.key": `${pair.keyPem.trimEnd()}\n` });
    expect([...mended.keys()]).toEqual([]);
  });

  it("and the Secret holds the mended text", async () => {
    const binding = aBinding({ type: "kubernetes.io/ssh-auth" });
    const source = textSource(JSON.stringify({ "ssh-privatekey": sshKey.trimEnd(), known_hosts: "h" }));
    const desired = renderSecret(binding, [source], RELAY_METADATA, await loadRenderers(binding));
    expect(shownData(desired)).toEqual({ "ssh-privatekey": sshKey, known_hosts: "h" });
  });
});

describe("where only a person can mend it, the reason says how:", () => {
  it.each<[what: string, text: string, says: string]>([
    ["one line", sshKey.replaceAll("\n", ""), "lost its line breaks"],
    [
      "spaces",
      sshKey.replaceAll("\n", " "),
      `ssh-privatekey: { template: '{{ ["ssh-privatekey"] | pem_wrap }}' }`,
    ],
    ["the two characters \\n", sshKey.replaceAll("\n", "\\n"), "pem_wrap"],
    ["base64", base64(sshKey), `'{{ ["ssh-privatekey"] | base64_decode }}'`],
    ["base64 of base64", base64(base64(sshKey)), "base64_decode | base64_decode"],
    ["the format of PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\n", "puttygen KEY -O private-openssh"],
    ["a block without its end", sshKey.slice(0, -40), "a PEM block that is not closed"],
    ["a block without its middle", sshKey.replace(/\n.{64}\n/, "\n"), "a damaged PEM block"],
  ])("%s", (_, text, says) => {
    expect(() => check("ssh-auth", { "ssh-privatekey": text })).toThrow(says);
  });

  it("and the registry is named", () => {
    const config = JSON.stringify({
      auths: { good: { auth: base64("u:p") }, "bad.example.com": { auth: "%" } },
    });
    expect(() => check("dockerconfigjson", { ".dockerconfigjson": config })).toThrow(
      'the registry "bad.example.com", whose auth is not base64 of a user, a colon and a password',
    );
    expect(() => check("dockerconfigjson", { ".dockerconfigjson": `${config.slice(0, -1)},}` })).toThrow(
      "a comma with nothing after it at line 1, column",
    );
  });
});

it("a rendered pair reports when the first of its certificates expires", async () => {
  const binding = aBinding({ type: "kubernetes.io/tls" });
  const text = JSON.stringify({ "tls.crt": pair.certificatePem + authorityPem, "tls.key": pair.keyPem });

  const { certificateExpiresAt } = renderSecret(
    binding,
    [textSource(text)],
    RELAY_METADATA,
    await loadRenderers(binding),
  );

  expect(certificateExpiresAt).toBeGreaterThan(Date.now());
  expect(certificateExpiresAt).toBeLessThan(Date.now() + 2 * 86_400_000);
});
