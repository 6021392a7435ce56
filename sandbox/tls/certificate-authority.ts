import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  bool,
  context,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8String,
} from "./der.ts";

export type CertificateAuthority = {
  readonly certificatePem: string;
  /** PEM in base64, as EKS gives `certificateAuthority.data`. */
  readonly certificateAuthorityData: string;
  /** A certificate for these host names and IP addresses. */
  issueServerCertificate(hosts: readonly string[]): ServerCertificate;
};

export type ServerCertificate = { readonly certificatePem: string; readonly keyPem: string };

/**
 * A certificate authority in memory for one run. Do not trust it elsewhere: its key is never stored, and its
 * certificates are valid for a day.
 */
export function createCertificateAuthority(commonName = "eks-secret-relay sandbox"): CertificateAuthority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authority = { name: nameOf(commonName), keys };
  const certificate = signCertificate({
    issuer: authority,
    subject: authority.name,
    subjectKey: keys.publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence(bool(true)), "critical"),
      // keyCertSign and cRLSign are bits 5 and 6 of the first byte.
      extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), "critical"),
      extension(OID.subjectKeyIdentifier, octetString(keyIdentifierOf(keys.publicKey))),
    ],
  });
  const certificatePem = pemOf(certificate);
  return {
    certificatePem,
    certificateAuthorityData: Buffer.from(certificatePem, "utf8").toString("base64"),
    issueServerCertificate: (hosts) => issueServerCertificate(authority, hosts),
  };
}

type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };
type Authority = { name: Buffer; keys: KeyPair };

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
} as const;

const HOUR_MS = 3_600_000;

function issueServerCertificate(authority: Authority, hosts: readonly string[]): ServerCertificate {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authorityKeyIdentifier = context(0, keyIdentifierOf(authority.keys.publicKey), "primitive");
  const certificate = signCertificate({
    issuer: authority,
    subject: nameOf(hosts[0] ?? "localhost"),
    subjectKey: keys.publicKey,
    extensions: [
      extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), "critical"), // digitalSignature
      extension(OID.extendedKeyUsage, sequence(objectIdentifier(OID.serverAuth))),
      extension(OID.subjectAlternativeName, sequence(...hosts.map(generalName))),
      extension(OID.authorityKeyIdentifier, sequence(authorityKeyIdentifier)),
    ],
  });
  const keyPem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificatePem: pemOf(certificate), keyPem };
}

type CertificateParts = { issuer: Authority; subject: Buffer; subjectKey: KeyObject; extensions: Buffer[] };

/** RFC 5280, section 4.1. */
function signCertificate({ issuer, subject, subjectKey, extensions }: CertificateParts): Buffer {
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const version3 = context(0, integer(Buffer.from([2])), "constructed");
  const validity = sequence(
    utcTime(new Date(Date.now() - HOUR_MS)), // a container's clock may be behind
    utcTime(new Date(Date.now() + 24 * HOUR_MS)),
  );
  const toBeSigned = sequence(
    version3,
    integer(randomBytes(16)),
    algorithm,
    issuer.name,
    validity,
    subject,
    subjectKey.export({ type: "spki", format: "der" }),
    context(3, sequence(...extensions), "constructed"),
  );
  return sequence(toBeSigned, algorithm, bitString(sign("sha256", toBeSigned, issuer.keys.privateKey)));
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

function generalName(host: string): Buffer {
  if (isIP(host) === 4) return context(7, Buffer.from(host.split(".").map(Number)), "primitive");
  if (isIP(host) === 6) throw new Error(`Only IPv4 addresses and names can be certified, not ${host}`);
  return context(2, Buffer.from(host, "latin1"), "primitive");
}

function extension(oid: string, value: Buffer, critical?: "critical"): Buffer {
  const parts = [objectIdentifier(oid), ...(critical ? [bool(true)] : []), octetString(value)];
  return sequence(...parts);
}

function keyIdentifierOf(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
