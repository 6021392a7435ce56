import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { decodeBase64 } from "./decode-base64.ts";
import { isOpensshKey } from "./openssh-key.ts";

/** From the BEGIN line to the END line, each line as OpenSSL and OpenSSH read it, with a final line break. */
export type PemBlock = { readonly label: string; readonly text: string; readonly bytes: Buffer };

/** `lost-breaks`: lines run together, which wrapPem mends. `encoded`: base64 of PEM, this many times. */
export type PemFault = "absent" | "open" | "lost-breaks" | "damaged" | { readonly encoded: number };

export type Pem = {
  readonly blocks: readonly [PemBlock, ...PemBlock[]];
  /** All of the text: the blocks, and as it was what stands between them. */
  readonly text: string;
};

export const isPem = (read: Pem | PemFault): read is Pem => typeof read === "object" && "blocks" in read;

/**
 * Reads PEM whose lines are all there. Indentation, the line ends of other systems, blank lines in a block, a byte order
 * mark and a missing last line break are mended, because they change no block. A block is read as its label says, so a
 * damaged one is refused.
 */
export function readPem(text: string): Pem | PemFault {
  const blocks: PemBlock[] = [];
  const lines: string[] = [];
  let open: { readonly label: string; readonly body: string[] } | undefined;
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const [, kind, label = ""] = MARK.exec(line.trim()) ?? [];
    if (kind === undefined) {
      if (/-----(?:BEGIN|END) /.test(line)) return "lost-breaks";
      (open?.body ?? lines).push(line);
    } else if (kind === "BEGIN" && open === undefined) {
      open = { label, body: [] };
    } else if (kind === "END" && open?.label === label) {
      const block = blockOf(label, open.body);
      if (block === undefined) return "damaged";
      blocks.push(block);
      lines.push(...block.text.trimEnd().split("\n"));
      open = undefined;
    } else return "open";
  }
  if (open !== undefined) return "open";
  const [first, ...others] = blocks;
  if (first === undefined) return faultWithout(text);
  return { blocks: [first, ...others], text: `${lines.join("\n").replace(/^\s+/, "").trimEnd()}\n` };
}

/** Reads PEM whose line breaks were lost, or became spaces or the two characters `\n`. Text between blocks is dropped. */
export function wrapPem(text: string): Pem | PemFault {
  const broken = text.replace(/\\+[rn]/g, "\n");
  const lines: string[] = [];
  let at = broken.indexOf(BEGIN);
  while (at >= 0) {
    const label = /^[A-Z0-9 ]{1,100}(?=-----)/.exec(broken.slice(at + BEGIN.length, at + 200))?.[0];
    if (label === undefined) return "open";
    const start = at + BEGIN.length + label.length + DASHES.length;
    const end = broken.indexOf(`${END}${label}${DASHES}`, start);
    if (end < 0) return "open";
    const body = broken.slice(start, end);
    const [headers = "", ...parts] = LEGACY_HEADERS.exec(body) ?? [];
    const packed = body.slice(headers.length).replace(/\s+/g, "");
    lines.push(`${BEGIN}${label}${DASHES}`, ...parts, packed, `${END}${label}${DASHES}`);
    at = broken.indexOf(BEGIN, end);
  }
  return lines.length === 0 ? faultWithout(text) : readPem(lines.join("\n"));
}

const BEGIN = "-----BEGIN ";
const END = "-----END ";
const DASHES = "-----";
const MARK = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,99})-----$/;
const LEGACY_HEADERS = /^\s*(Proc-Type:\s*4,\s*ENCRYPTED)\s+(DEK-Info:\s*[A-Z0-9-]+,\s*[0-9A-Fa-f]+)\s+/;

function faultWithout(text: string): PemFault {
  let inner = text.trim();
  for (let times = 1; times <= ENCODED_MAX; times += 1) {
    const bytes = decodeBase64(inner, "base64");
    if (bytes === undefined) return "absent";
    inner = bytes.toString("latin1").trim();
    if (inner.includes("-----BEGIN ")) return { encoded: times };
  }
  return "absent";
}

const ENCODED_MAX = 3;

function blockOf(label: string, body: readonly string[]): PemBlock | undefined {
  const lines = body.map((line) => line.trim()).filter((line) => line !== "");
  const headers = lines.filter((line) => line.includes(":"));
  const coded = lines.slice(headers.length).map((line) => line.replace(/\s+/g, ""));
  const packed = coded.join("");
  const bytes = Buffer.from(packed, "base64");
  const spelled = bytes.toString("base64");
  if (packed === "" || packed.replace(/=+$/, "").length !== spelled.replace(/=+$/, "").length)
    return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return undefined;
  const width = coded[0]?.length ?? 0;
  const isEven = coded.every(
    (line, at) => line.length === width || (at === coded.length - 1 && line.length < width),
  );
  const wrapped =
    isEven && width <= WIDTH_MAX && packed === spelled ? coded : (spelled.match(/.{1,64}/g) ?? []);
  const head = headers.length > 0 ? [...headers, ""] : [];
  const text = `${[`-----BEGIN ${label}-----`, ...head, ...wrapped, `-----END ${label}-----`].join("\n")}\n`;
  return isIntact(label, headers, text, bytes) ? { label, text, bytes } : undefined;
}

const WIDTH_MAX = 76;

function isIntact(label: string, headers: readonly string[], text: string, bytes: Buffer): boolean {
  if (headers.length > 0) return LEGACY_HEADERS.test(`${headers.join("\n")}\n`);
  if (label === "OPENSSH PRIVATE KEY") return isOpensshKey(bytes);
  try {
    if (/^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label)) new X509Certificate(text);
    else if (label === "ENCRYPTED PRIVATE KEY") return isWholeDer(bytes);
    else if (label.endsWith("PRIVATE KEY")) createPrivateKey(text);
    else if (label.endsWith("PUBLIC KEY")) createPublicKey(text);
    else return isWholeDer(bytes);
    return true;
  } catch {
    return false; // OpenSSL's message may quote the text
  }
}

/** One value of ASN.1 in DER fills the bytes. */
function isWholeDer(bytes: Buffer): boolean {
  const short = bytes[1];
  if (short === undefined) return false;
  if (short < 0x80) return bytes.length === short + 2;
  const size = short - 0x80;
  return (
    size >= 1 && size <= 4 && bytes.length > size + 2 && bytes.readUIntBE(2, size) === bytes.length - size - 2
  );
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

const CERTIFICATES_MAX = 50;
