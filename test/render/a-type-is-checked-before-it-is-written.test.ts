import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { checkType } from "../../shared/render/check-type.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { makeCertificates, makeSshKey } from "../harness/certificates.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { aBinding, CANARY, textSource } from "./factories.ts";

const { authorityPem, pair, otherPair } = makeCertificates();
const sshKey = makeSshKey();
const encryptedKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" })
  .toString();
const opensshKey = (body: string): string =>
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(body).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const registries = (entry: unknown): string => JSON.stringify({ auths: { "registry.example.com": entry } });

const check = (type: string, data: Record<string, string>) =>
  checkType(
    aBinding({ type: `kubernetes.io/${type}` }),
    new Map(Object.entries(data).map(([key, text]) => [key, SecretValue.fromText(text)])),
  );

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
    ["an OpenSSH key", "ssh-auth", { "ssh-privatekey": opensshKey("openssh-key-v1\0…") }],
    ["an encrypted key", "ssh-auth", { "ssh-privatekey": encryptedKey }],
    ["any data in a custom type", "other", { a: "b" }],
  ])("%s", (_, type, data) => {
    expect(() => check(type, data)).not.toThrow();
  });
});

describe("data that no client could use is refused with a code:", () => {
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
    ["SSH_KEY_INVALID", "two keys", "ssh-auth", { "ssh-privatekey": sshKey + sshKey }],
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
