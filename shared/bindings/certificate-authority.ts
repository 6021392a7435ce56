import { X509Certificate } from "node:crypto";

/** Undefined if the text is valid base64 of PEM certificates. */
export function certificateAuthorityProblem(text: string): { message: string; fix: string } | undefined {
  if (text.includes(PEM_BEGIN)) {
    return {
      message: "This is plain PEM, but base64-encoded PEM is expected",
      fix: "Encode it with `base64 -w0`",
    };
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    return { message: "This is not base64 on one line", fix: COPY };
  }
  const pem = Buffer.from(text, "base64").toString("latin1");
  const blocks = pem.match(/-----BEGIN [A-Z0-9 ]+-----[^-]+-----END [A-Z0-9 ]+-----/g) ?? [];
  if (blocks.length === 0) return { message: "This base64 does not hold PEM", fix: COPY };
  if (blocks.some((block) => !block.startsWith(PEM_CERTIFICATE))) {
    return {
      message: "This holds something other than certificates",
      fix: `Keep only the certificates. ${COPY}`,
    };
  }
  if (!blocks.every(isCertificate)) {
    return { message: "A certificate is damaged", fix: COPY };
  }
  return undefined;
}

const PEM_BEGIN = "-----BEGIN";
const PEM_CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const COPY = "Copy certificateAuthority.data from `aws eks describe-cluster`";

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
