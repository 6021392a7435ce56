import { hash, randomBytes } from "node:crypto";
import { noSuchKey, preconditionFailed, S3Error } from "./s3-error.ts";

/** One version of an object, or a delete marker, which has no content. */
export type ObjectVersion = {
  readonly key: string;
  /** `null` in a bucket without versioning, as S3 says. */
  readonly versionId: string;
  readonly modifiedAt: number;
  readonly content?: ObjectContent;
};

export type ObjectContent = {
  readonly body: Buffer;
  /** In quotes: the MD5 of the body. */
  readonly etag: string;
  /** Sent with the object and returned with it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Record<string, string>>;
};

export type BucketOptions = {
  readonly versioned?: boolean;
  /** Default: the sandbox's own. Requests for a bucket of another Region are answered with its Region. */
  readonly region?: string;
};

export type Bucket = {
  readonly name: string;
  readonly versioned: boolean;
  /** In the order of a list: by key, the newest version first. */
  versions(prefix: string): readonly ObjectVersion[];
  /** The newest version of a key, which may be a delete marker. */
  current(key: string): ObjectVersion | undefined;
  version(key: string, versionId: string): ObjectVersion | undefined;
  put(key: string, content: ObjectContent, condition: PutCondition): ObjectVersion;
  /** Adds a delete marker, or removes one version; returns what was added or removed. */
  remove(key: string, versionId: string | undefined): ObjectVersion | undefined;
};

export type PutCondition = {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
};

export type Buckets = {
  add(name: string, options?: BucketOptions): void;
  get(name: string): Bucket;
};

export function createBuckets(homeRegion: string, now: () => number): Buckets {
  const buckets = new Map<string, { bucket: Bucket; region: string }>();
  return {
    add(name, { versioned = false, region = homeRegion } = {}) {
      buckets.set(name, { bucket: createBucket(name, versioned, now), region });
    },
    get(name) {
      const known = buckets.get(name);
      if (known === undefined) {
        const BucketName = name;
        throw new S3Error("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName });
      }
      if (known.region !== homeRegion) throw inAnotherRegion(name, known.region);
      return known.bucket;
    },
  };
}

function createBucket(name: string, versioned: boolean, now: () => number): Bucket {
  const objects = new Map<string, ObjectVersion[]>(); // newest first

  const add = (key: string, content?: ObjectContent): ObjectVersion => {
    const versionId = versioned ? newVersionId() : "null";
    const version = { key, versionId, modifiedAt: now(), ...(content !== undefined && { content }) };
    objects.set(key, [version, ...(versioned ? (objects.get(key) ?? []) : [])]);
    return version;
  };

  const current = (key: string) => objects.get(key)?.[0];

  return {
    name,
    versioned,
    current,
    version: (key, versionId) => objects.get(key)?.find((version) => version.versionId === versionId),
    versions: (prefix) =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .flatMap((key) => objects.get(key) ?? []),
    put(key, content, { ifMatch, ifNoneMatch }) {
      const existing = current(key)?.content;
      if (ifMatch !== undefined) {
        if (existing === undefined) throw noSuchKey(key);
        if (bare(ifMatch) !== bare(existing.etag)) throw preconditionFailed("If-Match");
      }
      if (ifNoneMatch !== undefined && existing !== undefined) throw preconditionFailed("If-None-Match");
      return add(key, content);
    },
    remove(key, versionId) {
      if (versionId === undefined && versioned) return add(key);
      const versions = objects.get(key) ?? [];
      const removed = versions.find((version) => version.versionId === (versionId ?? "null"));
      const rest = versions.filter((version) => version !== removed);
      if (rest.length === 0) objects.delete(key);
      else objects.set(key, rest);
      return removed;
    },
  };
}

export const etagOf = (body: Buffer): string => `"${hash("md5", body)}"`;

/** S3 compares ETags with and without quotes alike. */
export const bare = (etag: string): string => etag.replaceAll('"', "");

const newVersionId = (): string => randomBytes(24).toString("base64url").replaceAll("-", ".");

function inAnotherRegion(Bucket: string, region: string): S3Error {
  return new S3Error(
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    301,
    { Endpoint: `${Bucket}.s3.${region}.amazonaws.com`, Bucket },
    { "x-amz-bucket-region": region },
  );
}
