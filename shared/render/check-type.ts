import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Binding } from "../bindings/binding.ts";
import { isPem, type Pem, readCertificate, readPem } from "../bindings/expressions/pem.ts";
import { SecretValue } from "../source/secret-value.ts";
import { checkDockerConfig } from "./check-docker-config.ts";
import { checkSshKey } from "./check-ssh-key.ts";
import { type Refuse, RenderError } from "./errors.ts";
import { whyNoPem } from "./why-no-pem.ts";

export type CheckedType = {
  /** The mended keys, such as a private key without its last line break: the relay writes the text that it checked. */
  readonly mended: ReadonlyMap<string, SecretValue>;
  readonly certificateExpiresAt?: number;
};

/**
 * Refuses data without the keys that Kubernetes requires, and data that Kubernetes accepts but no service can use: a
 * certificate with the wrong key takes a service down at its next restart. An expired certificate is written, because
 * the old one is not better, and a metric reports its expiry.
 */
export function checkType(binding: Binding, data: ReadonlyMap<string, SecretValue>): CheckedType {
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
  const mended = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, SecretValue> =>
    new Map(
      Object.entries(texts)
        .filter(([key, text]) => text !== get(key))
        .map(([key, text]) => [key, SecretValue.fromText(text)]),
    );
  switch (binding.type) {
    case "kubernetes.io/tls": {
      const { texts, certificateExpiresAt } = checkTls(get("tls.crt"), get("tls.key"), refuse);
      return { mended: mended(texts), certificateExpiresAt };
    }
    case "kubernetes.io/dockerconfigjson":
    case "kubernetes.io/dockercfg": {
      const key = binding.type === "kubernetes.io/dockercfg" ? ".dockercfg" : ".dockerconfigjson";
      return { mended: mended({ [key]: checkDockerConfig(key, get(key), refuse) }) };
    }
    case "kubernetes.io/ssh-auth":
      return { mended: mended({ "ssh-privatekey": checkSshKey(get("ssh-privatekey"), refuse) }) };
    case "kubernetes.io/basic-auth":
      checkBasicAuth(data, refuse);
      return UNCHANGED;
    default:
      return UNCHANGED;
  }
}

const UNCHANGED: CheckedType = { mended: new Map() };

function checkTls(certificates: string, key: string, refuse: Refuse) {
  const chain = readPem(certificates);
  if (!isPem(chain)) {
    return refuse("TLS_CERTIFICATE_INVALID", `tls.crt ${whyNoPem("tls.crt", chain)}`);
  }
  if (chain.blocks.some(({ label }) => label !== "CERTIFICATE")) {
    return refuse("TLS_CERTIFICATE_INVALID", "tls.crt is not PEM that holds only certificates.");
  }
  const read = chain.blocks.map(({ text }) => readCertificate(text));
  const [leaf] = read;
  if (leaf === undefined || read.includes(undefined)) {
    return refuse("TLS_CERTIFICATE_INVALID", "tls.crt holds a damaged certificate.");
  }
  const keyPem = readPem(key);
  if (!isPem(keyPem)) return refuse("TLS_KEY_INVALID", `tls.key ${whyNoPem("tls.key", keyPem)}`);
  if (!leaf.checkPrivateKey(readPrivateKey(keyPem, refuse))) {
    refuse(
      "TLS_PAIR_MISMATCH",
      "tls.key is not the key of the first certificate in tls.crt. Put a matching pair into the source, with the leaf certificate first.",
    );
  }
  const expiries = read.map((each) => each?.validToDate.getTime() ?? Number.NaN);
  return {
    texts: { "tls.crt": chain.text, "tls.key": keyPem.text },
    certificateExpiresAt: Math.min(...expiries),
  };
}

function readPrivateKey({ text }: Pem, refuse: Refuse): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    return refuse("TLS_KEY_INVALID", "tls.key is not a PEM private key, or it is encrypted.");
  }
}

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
