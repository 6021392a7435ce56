import { X509Certificate } from "node:crypto";

/** From the BEGIN line to the END line, with a final line break. */
export type PemBlock = { readonly label: string; readonly text: string };

/** The blocks without the text between them; undefined if a block is not closed. */
export function splitPem(text: string): PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  let at = text.indexOf(BEGIN);
  while (at >= 0) {
    const labelEnd = text.indexOf(DASHES, at + BEGIN.length);
    if (labelEnd < 0 || labelEnd - at > LABEL_MAX) return undefined;
    const label = text.slice(at + BEGIN.length, labelEnd);
    const end = `${END}${label}${DASHES}`;
    const endAt = text.indexOf(end, labelEnd);
    if (endAt < 0) return undefined;
    const lines = text.slice(at, endAt + end.length).split("\n");
    blocks.push({ label, text: `${lines.map((line) => line.trim()).join("\n")}\n` });
    at = text.indexOf(BEGIN, endAt);
  }
  return blocks;
}

/**
 * The certificates of a bundle in the order that servers send: the leaf, then the issuer of each. The leaf is the one
 * that issued no other. Undefined if there is not exactly one leaf, or if a certificate is damaged.
 */
export function orderChain(blocks: readonly PemBlock[]): { leaf: PemBlock; chain: PemBlock[] } | undefined {
  const certificates: { block: PemBlock; x509: X509Certificate }[] = [];
  for (const block of blocks) {
    if (block.label !== "CERTIFICATE") continue;
    const x509 = readCertificate(block.text);
    if (x509 === undefined) return undefined;
    if (!certificates.some((other) => other.x509.fingerprint256 === x509.fingerprint256)) {
      certificates.push({ block, x509 });
    }
  }
  if (certificates.length > CERTIFICATES_MAX) return undefined;
  const leaves = certificates.filter(
    (one) => !certificates.some((other) => other !== one && other.x509.checkIssued(one.x509)),
  );
  const [leaf] = leaves;
  if (leaf === undefined || leaves.length > 1) return undefined;
  const chain: PemBlock[] = [];
  const left = new Set(certificates.filter((each) => each !== leaf));
  let last = leaf;
  for (;;) {
    const issuer = [...left].find((each) => last.x509.checkIssued(each.x509));
    if (issuer === undefined) return { leaf: leaf.block, chain };
    left.delete(issuer);
    chain.push(issuer.block);
    last = issuer;
  }
}

export function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined; // OpenSSL's message may quote the text
  }
}

const BEGIN = "-----BEGIN ";
const END = "-----END ";
const DASHES = "-----";
const LABEL_MAX = 100;
const CERTIFICATES_MAX = 50;
