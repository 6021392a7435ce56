import type { Call, Operation } from "../call.ts";
import type { EventBus } from "../events.ts";
import { type Buckets, bare, etagOf, type ObjectVersion } from "./buckets.ts";
import { listObjects, listVersions } from "./list.ts";
import type { S3Input } from "./parse-s3.ts";
import { readPayload } from "./read-payload.ts";
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from "./s3-error.ts";

/** The response of an operation: S3 has headers and bytes where other services have members. */
export type S3Result = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
};

export function s3Operations(buckets: Buckets, events: EventBus): ReadonlyMap<string, Operation> {
  const operation =
    (run: (input: S3Input, call: Call) => S3Result): Operation =>
    (call) =>
      run(call.input as S3Input, call);

  const read = operation(({ Bucket, Key, query, headers }) => {
    const found = findVersion(buckets, { Bucket, Key, versionId: query.versionId });
    return answerRead(found, buckets.get(Bucket).versioned, headers);
  });

  const put = operation(({ Bucket, Key, headers, body: sent }, call) => {
    const bucket = buckets.get(Bucket);
    const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
    if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw notImplemented("If-None-Match with an ETag");
    if (Buffer.byteLength(Key) > KEY_BYTES_MAX) {
      throw new S3Error("KeyTooLongError", "Your key is too long", 400, {
        MaxSizeAllowed: `${KEY_BYTES_MAX}`,
      });
    }
    const { body, checksums } = readPayload({ headers, body: sent });
    const content = { body, etag: etagOf(body), headers: keptHeaders(headers), checksums };
    const { versionId } = bucket.put(Key, content, { ifMatch, ifNoneMatch });
    const version = bucket.versioned ? { versionId } : {};
    events.objectCreated(
      { bucket: Bucket, key: Key, size: body.byteLength, etag: content.etag, ...version },
      call,
    );
    return {
      status: 200,
      headers: { etag: content.etag, ...versionHeader(bucket.versioned, versionId), ...checksums },
      body: "",
    };
  });

  const remove = operation(({ Bucket, Key, query: { versionId } }, call) => {
    const bucket = buckets.get(Bucket);
    const removed = bucket.remove(Key, versionId);
    const isMarker = removed !== undefined && removed.content === undefined;
    if (removed !== undefined) {
      const version = bucket.versioned ? { versionId: removed.versionId } : {};
      const isNewMarker = isMarker && versionId === undefined;
      const deletionType = isNewMarker ? "Delete Marker Created" : "Permanently Deleted";
      events.objectDeleted({ bucket: Bucket, key: Key, deletionType, ...version }, call);
    }
    const headers = {
      ...(isMarker && { "x-amz-delete-marker": "true" }),
      ...versionHeader(bucket.versioned, removed?.versionId ?? versionId),
    };
    return { status: 204, headers, body: "" };
  });

  const list = (print: typeof listObjects) =>
    operation((input) => ({
      status: 200,
      headers: { "content-type": "application/xml" },
      body: print(buckets.get(input.Bucket), input),
    }));

  return new Map([
    ["PutObject", put],
    ["GetObject", read],
    ["HeadObject", read], // the server leaves out the body
    ["DeleteObject", remove],
    ["ListObjectsV2", list(listObjects)],
    ["ListObjectVersions", list(listVersions)],
  ]);
}

const KEY_BYTES_MAX = 1_024;

function findVersion(
  buckets: Buckets,
  { Bucket, Key, versionId }: { Bucket: string; Key: string; versionId: string | undefined },
): ObjectVersion {
  const bucket = buckets.get(Bucket);
  if (versionId === undefined) {
    const current = bucket.current(Key);
    if (current === undefined) throw noSuchKey(Key);
    if (current.content === undefined) throw noSuchKey(Key, markerHeaders(current));
    return current;
  }
  const version = bucket.version(Key, versionId);
  if (version === undefined) {
    const details = { Key, VersionId: versionId };
    throw new S3Error("NoSuchVersion", "The specified version does not exist.", 404, details);
  }
  if (version.content === undefined) {
    const message = "The specified method is not allowed against this resource.";
    throw new S3Error(
      "MethodNotAllowed",
      message,
      405,
      { ResourceType: "DeleteMarker" },
      markerHeaders(version),
    );
  }
  return version;
}

function answerRead(version: ObjectVersion, versioned: boolean, asked: S3Input["headers"]): S3Result {
  const { versionId, modifiedAt, content } = version as Required<ObjectVersion>;
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch, "x-amz-checksum-mode": checksumMode } = asked;
  if (ifMatch !== undefined && !holds(ifMatch, content.etag)) throw preconditionFailed("If-Match");
  const common = {
    etag: content.etag,
    "last-modified": new Date(modifiedAt).toUTCString(),
    ...versionHeader(versioned, versionId),
  };
  if (ifNoneMatch !== undefined && holds(ifNoneMatch, content.etag)) {
    return { status: 304, headers: common, body: "" };
  }
  const checksums = checksumMode === "ENABLED" ? content.checksums : {};
  return { status: 200, headers: { ...common, ...content.headers, ...checksums }, body: content.body };
}

const holds = (condition: string, etag: string): boolean =>
  condition === "*" || condition.split(",").some((one) => bare(one.trim()) === bare(etag));

const versionHeader = (versioned: boolean, versionId: string | undefined): Record<string, string> =>
  versioned && versionId !== undefined ? { "x-amz-version-id": versionId } : {};

const markerHeaders = ({ versionId }: ObjectVersion): Record<string, string> => ({
  "x-amz-delete-marker": "true",
  "x-amz-version-id": versionId,
});

/** The headers that S3 keeps with an object. aws-chunked is only the framing of the request. */
function keptHeaders(headers: S3Input["headers"]): Record<string, string> {
  const kept: Record<string, string> = { "content-type": headers["content-type"] ?? "binary/octet-stream" };
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (name === "cache-control" || name.startsWith("x-amz-meta-")))
      kept[name] = value;
  }
  const encodings = (headers["content-encoding"] ?? "").split(",").map((encoding) => encoding.trim());
  const encoding = encodings.filter((name) => name !== "" && name !== "aws-chunked").join(",");
  return encoding === "" ? kept : { ...kept, "content-encoding": encoding };
}
