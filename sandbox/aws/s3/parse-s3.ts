import type { SignedRequest } from "../sigv4.ts";
import { notImplemented } from "./s3-error.ts";

/** What an operation of S3 needs of its request. */
export type S3Input = {
  readonly Bucket: string;
  readonly Key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: SignedRequest["headers"];
  readonly body: Uint8Array;
};

/** A request to S3 names no operation, so it is recognized by the service in the scope of its signature. */
export function isS3Request({ headers }: SignedRequest): boolean {
  return /\bCredential=[^,]*\/s3\/aws4_request\b/.test(headers.authorization ?? "");
}

export function parseS3(request: SignedRequest): { operation: string; input: S3Input } {
  const [path = "/", search = ""] = request.target.split("?", 2);
  const [, bucket = "", ...key] = path.split("/");
  const query = Object.fromEntries(new URLSearchParams(search));
  const input = {
    Bucket: decoded(bucket),
    Key: decoded(key.join("/")),
    query,
    headers: request.headers,
    body: request.body,
  };
  const unknown = [
    ...Object.keys(query).filter((name) => !KNOWN_PARAMETERS.has(name)),
    ...UNKNOWN_HEADERS.filter((name) => request.headers[name] !== undefined),
  ];
  const operation =
    input.Key !== ""
      ? OBJECT_OPERATIONS[request.method]
      : request.method === "GET" && input.Bucket !== ""
        ? listOperation(query)
        : undefined;
  if (operation === undefined || unknown.length > 0) {
    throw notImplemented([request.method, ...unknown].join(" "));
  }
  return { operation, input };
}

const listOperation = (query: S3Input["query"]): string | undefined => {
  if (query["list-type"] === "2") return "ListObjectsV2";
  return query.versions === undefined ? undefined : "ListObjectVersions";
};

const OBJECT_OPERATIONS: Readonly<Record<string, string>> = {
  PUT: "PutObject",
  GET: "GetObject",
  HEAD: "HeadObject",
  DELETE: "DeleteObject",
};

const KNOWN_PARAMETERS = new Set([
  "continuation-token",
  "key-marker",
  "list-type",
  "max-keys",
  "prefix",
  "version-id-marker",
  "versionId",
  "versions",
  "x-id", // the SDK's name for the operation
]);
// A header that changes the result is refused, so that a test does not pass without it.
const UNKNOWN_HEADERS = ["range", "x-amz-copy-source", "if-modified-since", "if-unmodified-since"];

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
