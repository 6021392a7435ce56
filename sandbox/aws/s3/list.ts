import { toXml } from "../xml.ts";
import type { Bucket, ObjectVersion } from "./buckets.ts";
import type { S3Input } from "./parse-s3.ts";
import { invalidArgument } from "./s3-error.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export function listObjects(bucket: Bucket, { query }: S3Input): string {
  const { prefix: Prefix = "", "continuation-token": ContinuationToken } = query;
  const MaxKeys = parseMaxKeys(query);
  const after = ContinuationToken === undefined ? undefined : parseToken(ContinuationToken);
  const keys = currentOf(bucket.versions(Prefix));
  const from = after === undefined ? 0 : keys.findIndex(({ key }) => isAfter(key, after));
  const rest = from < 0 ? [] : keys.slice(from);
  const page = rest.slice(0, MaxKeys);
  const last = page.at(-1);
  const IsTruncated = last !== undefined && rest.length > page.length;
  return result("ListBucketResult", {
    Name: bucket.name,
    Prefix,
    ...(ContinuationToken !== undefined && { ContinuationToken }),
    KeyCount: page.length,
    MaxKeys,
    IsTruncated,
    ...(IsTruncated && { NextContinuationToken: Buffer.from(last.key).toString("base64") }),
    Contents: page.map((version) => ({ Key: version.key, ...describe(version) })),
  });
}

export function listVersions(bucket: Bucket, { query }: S3Input): string {
  const {
    prefix: Prefix = "",
    "key-marker": KeyMarker = "",
    "version-id-marker": VersionIdMarker = "",
  } = query;
  if (VersionIdMarker !== "" && KeyMarker === "") {
    const message = "A version-id marker cannot be specified without a key marker.";
    throw invalidArgument(message, "version-id-marker");
  }
  const MaxKeys = parseMaxKeys(query);
  const all = bucket.versions(Prefix);
  const marked = all.findIndex(({ key, versionId }) => key === KeyMarker && versionId === VersionIdMarker);
  const rest = marked >= 0 ? all.slice(marked + 1) : all.filter(({ key }) => isAfter(key, KeyMarker));
  const page = rest.slice(0, MaxKeys);
  const last = page.at(-1);
  const IsTruncated = last !== undefined && rest.length > page.length;
  const newest = new Set(newestOf(all));
  const head = {
    Name: bucket.name,
    Prefix,
    KeyMarker,
    VersionIdMarker,
    ...(IsTruncated && { NextKeyMarker: last.key, NextVersionIdMarker: last.versionId }),
    MaxKeys,
    IsTruncated,
  };
  const entries = page.map((version) => {
    const { key: Key, versionId: VersionId } = version;
    const entry = { Key, VersionId, IsLatest: newest.has(version), ...describe(version), Owner: OWNER };
    return toXml({ [version.content === undefined ? "DeleteMarker" : "Version"]: entry });
  });
  return result("ListVersionsResult", head, entries.join(""));
}

const OWNER = { ID: "0".repeat(64) };

function describe({ modifiedAt, content }: ObjectVersion): object {
  const LastModified = new Date(modifiedAt).toISOString();
  if (content === undefined) return { LastModified };
  const { etag: ETag, body } = content;
  return { LastModified, ETag, Size: body.byteLength, StorageClass: "STANDARD" };
}

const newestOf = (versions: readonly ObjectVersion[]): ObjectVersion[] =>
  versions.filter(({ key }, at) => versions[at - 1]?.key !== key);

const currentOf = (versions: readonly ObjectVersion[]): ObjectVersion[] =>
  newestOf(versions).filter(({ content }) => content !== undefined);

function parseMaxKeys(query: S3Input["query"]): number {
  const given = Number(query["max-keys"] ?? 1_000);
  if (Number.isInteger(given) && given >= 0) return Math.min(given, 1_000);
  throw invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys");
}

function parseToken(token: string): string {
  const key = Buffer.from(token, "base64").toString();
  if (Buffer.from(key).toString("base64") === token) return key;
  throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
}

/** S3 lists in the order of the keys' bytes in UTF-8. */
const isAfter = (key: string, marker: string): boolean =>
  Buffer.compare(Buffer.from(key), Buffer.from(marker)) > 0;

function result(name: string, members: object, more = ""): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${toXml(members)}${more}</${name}>`;
}
