import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Binding } from "../bindings/binding.ts";
import { decodeBase64 } from "../bindings/expressions/decode-base64.ts";
import { isTreeObject, type JsonTreeObject, parseJsonTree } from "../bindings/expressions/json-tree.ts";
import { readCertificate, splitPem } from "../bindings/expressions/pem.ts";
import type { SecretValue } from "../source/secret-value.ts";
import { RenderError, type RenderErrorCode } from "./errors.ts";

/** Facts about the data that the check finds. */
export type TypeFacts = { readonly certificateExpiresAt?: number };

/**
 * Refuses data without the keys that Kubernetes requires, and data that Kubernetes accepts but no service can use: a
 * certificate with the wrong key takes a service down at its next restart. An expired certificate is written, because
 * the old one is not better, and a metric reports its expiry.
 */
export function checkType(binding: Binding, data: ReadonlyMap<string, SecretValue>): TypeFacts {
  const target = `Secret ${binding.target.namespace}/${binding.target.name}`;
  const refuse: Refuse = (code, why) => {
    throw new RenderError(code, `${target} has the type ${binding.type}, but ${why}`);
  };
  const get = (key: string): string => {
    const value = data.get(key);
    return value === undefined
      ? refuse(
          "TYPE_KEY_MISSING",
          `the key ${key} is missing. Add it to the source and to keys in the binding.`,
        )
      : Buffer.from(value.expose()).toString("utf8");
  };
  switch (binding.type) {
    case "kubernetes.io/tls":
      return checkTls(get("tls.crt"), get("tls.key"), refuse);
    case "kubernetes.io/dockerconfigjson":
      checkDockerConfig(get(".dockerconfigjson"), refuse);
      return {};
    case "kubernetes.io/dockercfg":
      checkRegistries(".dockercfg", objectIn(".dockercfg", get(".dockercfg"), refuse), refuse);
      return {};
    case "kubernetes.io/ssh-auth":
      checkSshKey(get("ssh-privatekey"), refuse);
      return {};
    case "kubernetes.io/basic-auth":
      checkBasicAuth(data, refuse);
      return {};
    default:
      return {};
  }
}

type Refuse = (code: RenderErrorCode, why: string) => never;

function checkTls(certificates: string, key: string, refuse: Refuse): TypeFacts {
  const blocks = splitPem(certificates);
  if (blocks === undefined || blocks.length === 0 || blocks.some(({ label }) => label !== "CERTIFICATE")) {
    refuse("TLS_CERTIFICATE_INVALID", "tls.crt is not PEM that holds only certificates.");
  }
  const read = blocks.map(({ text }) => readCertificate(text));
  const [leaf] = read;
  if (leaf === undefined || read.includes(undefined)) {
    return refuse("TLS_CERTIFICATE_INVALID", "tls.crt holds a damaged certificate.");
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    return refuse("TLS_KEY_INVALID", "tls.key is not a PEM private key, or it is encrypted.");
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    refuse(
      "TLS_PAIR_MISMATCH",
      "tls.key is not the key of the first certificate in tls.crt. Put a matching pair into the source, with the leaf certificate first.",
    );
  }
  const expiries = read.map((each) => each?.validToDate.getTime() ?? Number.NaN);
  return { certificateExpiresAt: Math.min(...expiries) };
}

function checkDockerConfig(text: string, refuse: Refuse): void {
  const { auths } = objectIn(".dockerconfigjson", text, refuse);
  if (!isTreeObject(auths)) {
    refuse("DOCKER_CONFIG_INVALID", ".dockerconfigjson has no object auths.");
  }
  checkRegistries(".dockerconfigjson", auths, refuse);
}

function checkRegistries(key: string, registries: JsonTreeObject, refuse: Refuse): void {
  const entries = Object.values(registries);
  if (entries.length === 0) refuse("DOCKER_CONFIG_INVALID", `${key} names no registry.`);
  for (const entry of entries) {
    if (!isTreeObject(entry)) {
      refuse("DOCKER_CONFIG_INVALID", `a registry in ${key} is not an object.`);
    }
    const { auth, username, password } = entry;
    if (auth === undefined || auth === "") {
      if (typeof username !== "string" || typeof password !== "string") {
        refuse("DOCKER_CONFIG_INVALID", `a registry in ${key} has neither auth nor username and password.`);
      }
    } else if (typeof auth !== "string" || decodeBase64(auth, "base64")?.includes(":") !== true) {
      refuse("DOCKER_CONFIG_INVALID", `an auth in ${key} is not base64 of a user, a colon and a password.`);
    }
  }
}

function objectIn(key: string, text: string, refuse: Refuse): JsonTreeObject {
  const root = parseJsonTree(text)?.root;
  return isTreeObject(root) ? root : refuse("DOCKER_CONFIG_INVALID", `${key} is not a JSON object.`);
}

/** OpenSSL cannot read OpenSSH's own format, so only its header is checked. A passphrase is allowed. */
function checkSshKey(text: string, refuse: Refuse): void {
  const [block, ...more] = splitPem(text) ?? [];
  if (block === undefined || more.length > 0 || !block.label.endsWith("PRIVATE KEY")) {
    refuse("SSH_KEY_INVALID", "ssh-privatekey is not one private key in PEM or OpenSSH's format.");
  }
  if (block.label === "OPENSSH PRIVATE KEY") {
    const body = block.text.split("\n").slice(1, -2).join("");
    if (
      decodeBase64(body, "base64")?.subarray(0, OPENSSH_MAGIC.length).toString("latin1") !== OPENSSH_MAGIC
    ) {
      refuse("SSH_KEY_INVALID", "ssh-privatekey is damaged: it is not in OpenSSH's format.");
    }
    return;
  }
  if (block.label.startsWith("ENCRYPTED") || block.text.includes("ENCRYPTED")) return;
  try {
    createPrivateKey(block.text);
  } catch {
    refuse("SSH_KEY_INVALID", "ssh-privatekey is a damaged private key.");
  }
}

const OPENSSH_MAGIC = "openssh-key-v1\0";

function checkBasicAuth(data: ReadonlyMap<string, SecretValue>, refuse: Refuse): void {
  const username = data.get("username");
  if (username === undefined && !data.has("password")) {
    refuse(
      "TYPE_KEY_MISSING",
      "it needs username or password. Add one to the source and to keys in the binding.",
    );
  }
  // RFC 7617: the user name ends at the first colon.
  if (username !== undefined && Buffer.from(username.expose()).includes(":")) {
    refuse("BASIC_AUTH_INVALID", "username holds a colon, which ends a user name in HTTP.");
  }
}
