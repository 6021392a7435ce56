import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { S3Input } from "./parse-s3.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

export type Payload = { readonly body: Buffer; readonly checksums: Readonly<Record<string, string>> };

/** The object in a request: without aws-chunked framing, and with its hash and its checksums verified. */
export function readPayload({ headers, body: sent }: Pick<S3Input, "headers" | "body">): Payload {
  const body = Buffer.from(sent);
  const declared = headers["x-amz-content-sha256"];
  if (declared === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: x-amz-content-sha256",
      400,
    );
  }
  if (declared === "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    const { content, trailers } = readChunks(body);
    if (content.byteLength !== Number(headers["x-amz-decoded-content-length"])) throw incompleteBody();
    return { body: content, checksums: verifyChecksums(trailers, content) };
  }
  if (declared.startsWith("STREAMING-")) throw notImplemented(declared);
  if (declared !== "UNSIGNED-PAYLOAD" && declared !== hash("sha256", body)) {
    throw new S3Error(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      400,
    );
  }
  return { body, checksums: verifyChecksums(headers, body) };
}

function verifyChecksums(
  headers: Readonly<Record<string, string | undefined>>,
  body: Buffer,
): Record<string, string> {
  const checksums: Record<string, string> = {};
  for (const [algorithm, compute] of Object.entries(CHECKSUMS)) {
    const name = `x-amz-checksum-${algorithm}`;
    const given = headers[name];
    if (given === undefined) continue;
    if (given !== compute(body)) {
      const said = `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`;
      throw new S3Error("BadDigest", said, 400);
    }
    checksums[name] = given;
  }
  return checksums;
}

const CHECKSUMS: Readonly<Record<string, (body: Buffer) => string>> = {
  crc32: (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString("base64");
  },
  sha1: (body) => hash("sha1", body, "base64"),
  sha256: (body) => hash("sha256", body, "base64"),
};

/** `SIZE\r\nBYTES\r\n` repeated, `0\r\n`, then trailing headers. The SDK sends a stream in this form. */
function readChunks(framed: Buffer): { content: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = framed.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(framed.toString("latin1", at, lineEnd), 16);
    if (Number.isNaN(size)) throw incompleteBody();
    at = lineEnd + 2;
    if (size === 0) break;
    chunks.push(framed.subarray(at, at + size));
    at += size + 2;
  }
  const trailers = framed
    .toString("latin1", at)
    .split("\r\n")
    .filter((line) => line.includes(":"))
    .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1)]);
  return { content: Buffer.concat(chunks), trailers: Object.fromEntries(trailers) };
}

const incompleteBody = (): S3Error =>
  new S3Error(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
    400,
  );
