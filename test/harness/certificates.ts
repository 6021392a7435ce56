import { generateKeyPairSync } from "node:crypto";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";

/** Pairs for Secrets of the type kubernetes.io/tls, recreated for each run; each is valid for a day. */
export function makeCertificates() {
  const authority = createCertificateAuthority("a test's authority");
  const pair = authority.issueServerCertificate(["shop.example.com"]);
  const otherPair = authority.issueServerCertificate(["other.example.com"]);
  return { authorityPem: authority.certificatePem, pair, otherPair };
}

/** An RSA key in PEM, as `ssh-keygen -m PEM` writes one. */
export function makeSshKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}
