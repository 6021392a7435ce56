import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ObjectRequest, readObjectWith } from "../../shared/bindings/published/read-object.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { credentialsOf } from "../harness/aws-clients.ts";
import type { AwsBackend } from "../harness/backend.ts";

export type S3UnderTest = {
  readonly name: "sandbox" | "real";
  start(): Promise<AwsBackend>;
  addBucket(backend: AwsBackend, name: string, options: { versioned: boolean }): Promise<void>;
};

/** What the sandbox and moto both do as S3 does; where moto is known not to, the title says so and it is skipped there. */
export function describeS3Contract({ name: backendName, start, addBucket }: S3UnderTest): void {
  let backend: AwsBackend;
  let s3: S3Client;
  const bucket = `bindings-${randomUUID()}`;
  const unversioned = `unversioned-${randomUUID()}`;
  beforeAll(async () => {
    backend = await start();
    s3 = s3ClientOf(backend);
    await addBucket(backend, bucket, { versioned: true });
    await addBucket(backend, unversioned, { versioned: false });
  });
  afterAll(async () => {
    s3?.destroy();
    await backend?.stop();
  });

  /** A documented behaviour that moto does not have. */
  const itUnlessMoto = (title: string, motoDoes: string, test: () => Promise<void>) =>
    it.skipIf(backendName === "real")(`${title} [moto: ${motoDoes}]`, test);

  const newKey = (): string => `contract/${randomUUID()}.json`;
  const put = (
    Key: string,
    Body: NonNullable<PutObjectCommandInput["Body"]>,
    more: Partial<PutObjectCommandInput> = {},
  ) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));
  const get = async (Key: string, more: Partial<GetObjectCommandInput> = {}) => {
    const { Body, ...rest } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
    return { ...rest, text: await Body?.transformToString() };
  };
  const head = (Key: string, more: { VersionId?: string; IfNoneMatch?: string } = {}) =>
    s3.send(new HeadObjectCommand({ Bucket: bucket, Key, ...more }));
  const remove = (Key: string, VersionId?: string) =>
    s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, ...(VersionId !== undefined && { VersionId }) }));

  describe("an object", () => {
    it("is read as it was put, with its ETag, version, type and time", async () => {
      const key = newKey();

      const written = await put(key, '{"a":1}', { ContentType: "application/json", Metadata: { by: "ci" } });
      const read = await get(key);

      expect(read).toMatchObject({
        text: '{"a":1}',
        ETag: written.ETag,
        VersionId: written.VersionId,
        ContentType: "application/json",
        ContentLength: 7,
        Metadata: { by: "ci" },
      });
      expect(Math.abs(Number(read.LastModified) - Date.now())).toBeLessThan(60_000);
    });

    it("has the MD5 of its content as ETag, in quotes", async () => {
      const { ETag } = await put(newKey(), "content");

      expect(ETag).toBe(`"${createHash("md5").update("content").digest("hex")}"`);
    });

    it("has a new version after each put, also of the same content", async () => {
      const key = newKey();

      const first = await put(key, "same");
      const second = await put(key, "same");

      expect(second.ETag).toBe(first.ETag);
      expect(second.VersionId).not.toBe(first.VersionId);
      expect(first.VersionId).toMatch(/^[\w.-]{1,1024}$/);
    });

    it("is read at once after each of twenty puts", async () => {
      const key = newKey();
      for (let at = 0; at < 20; at += 1) {
        await put(key, `${at}`);
        await expect(get(key)).resolves.toMatchObject({ text: `${at}` });
      }
    });

    it("holds any bytes, none, or some megabytes", async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
      for (const body of [bytes, Buffer.alloc(0), Buffer.alloc(3 * 1024 * 1024, bytes)]) {
        const key = newKey();
        await put(key, body);
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
      }
    });

    it("is put from a stream, which the SDK sends in chunks with a trailing checksum", async () => {
      const key = newKey();
      const pieces = Array.from({ length: 40 }, (_, at) => Buffer.alloc(5_000, `${at}`));

      await put(key, Readable.from(pieces), { ContentLength: 200_000 });

      const { text, ContentEncoding } = await get(key);
      expect(text).toBe(Buffer.concat(pieces).toString());
      expect(ContentEncoding ?? "").not.toContain("aws-chunked");
    });

    it.each(KEYS)("may have the key %s", async (name) => {
      const key = `${randomUUID()}/${name}`;
      await put(key, name);

      await expect(get(key)).resolves.toMatchObject({ text: name });
      const { Contents } = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: key.slice(0, 37) }),
      );
      expect(Contents?.map(({ Key }) => Key)).toEqual([key]);
    });

    it("that is absent is NoSuchKey", async () => {
      await expect(get(newKey())).rejects.toMatchObject({
        name: "NoSuchKey",
        $metadata: { httpStatusCode: 404 },
      });
    });

    it("of a bucket that does not exist is NoSuchBucket", async () => {
      const Bucket = `absent-${randomUUID()}`;
      const status = { $metadata: { httpStatusCode: 404 } };

      await expect(get("any", { Bucket })).rejects.toMatchObject({ name: "NoSuchBucket", ...status });
      await expect(put("any", "x", { Bucket })).rejects.toMatchObject({ name: "NoSuchBucket", ...status });
    });
  });

  describe("a put with If-None-Match: *", () => {
    it("creates an object", async () => {
      const key = newKey();

      await put(key, "first", { IfNoneMatch: "*" });

      await expect(get(key)).resolves.toMatchObject({ text: "first" });
    });

    it("leaves an existing object, also one of the same content", async () => {
      const key = newKey();
      const { VersionId } = await put(key, "first");
      for (const body of ["second", "first"]) {
        await expect(put(key, body, { IfNoneMatch: "*" })).rejects.toMatchObject({
          name: "PreconditionFailed",
          $metadata: { httpStatusCode: 412 },
        });
      }
      await expect(get(key)).resolves.toMatchObject({ text: "first", VersionId });
    });

    it("creates a deleted object again", async () => {
      const key = newKey();
      await put(key, "first");
      await remove(key);

      await put(key, "second", { IfNoneMatch: "*" });

      await expect(get(key)).resolves.toMatchObject({ text: "second" });
    });

    it("has one winner of ten at once", async () => {
      const key = newKey();

      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, at) => put(key, `${at}`, { IfNoneMatch: "*" })),
      );

      const winners = results.flatMap(({ status }, at) => (status === "fulfilled" ? [`${at}`] : []));
      const { text } = await get(key);
      expect(winners).toEqual([text]);
    });
  });

  describe("a put with If-Match", () => {
    it("replaces an object that has this ETag, with or without its quotes", async () => {
      const key = newKey();
      const { ETag: first = "" } = await put(key, "first");

      const { ETag: second = "" } = await put(key, "second", { IfMatch: first });
      await put(key, "third", { IfMatch: second.replaceAll('"', "") });

      await expect(get(key)).resolves.toMatchObject({ text: "third" });
    });

    it("leaves an object that has another ETag", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first");
      await put(key, "second");

      await expect(put(key, "third", { IfMatch: ETag })).rejects.toMatchObject({
        name: "PreconditionFailed",
        $metadata: { httpStatusCode: 412 },
      });
      await expect(get(key)).resolves.toMatchObject({ text: "second" });
    });

    it.each([
      { it: "absent", prepare: async () => {} },
      {
        it: "deleted",
        prepare: async (key: string) => {
          await put(key, "first");
          await remove(key);
        },
      },
    ])("creates no object that is $it", async ({ prepare }) => {
      const key = newKey();
      await prepare(key);
      const { ETag } = await put(newKey(), "first");

      await expect(put(key, "second", { IfMatch: ETag })).rejects.toMatchObject({
        name: "NoSuchKey",
        $metadata: { httpStatusCode: 404 },
      });
      await expect(get(key)).rejects.toMatchObject({ name: "NoSuchKey" });
    });

    it("has one winner of ten at once", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first");

      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, at) => put(key, `${at}`, { IfMatch: ETag })),
      );

      const winners = results.flatMap(({ status }, at) => (status === "fulfilled" ? [`${at}`] : []));
      const { text } = await get(key);
      expect(winners).toEqual([text]);
    });
  });

  describe("a read with If-None-Match", () => {
    it("is answered 304 without a body while the object is the same", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first");

      await expect(get(key, { IfNoneMatch: ETag })).rejects.toMatchObject({
        $metadata: { httpStatusCode: 304 },
      });
      await expect(head(key, { IfNoneMatch: ETag ?? "" })).rejects.toMatchObject({
        $metadata: { httpStatusCode: 304 },
      });
    });

    it("returns an object that has changed", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first");
      await put(key, "second");

      await expect(get(key, { IfNoneMatch: ETag })).resolves.toMatchObject({ text: "second" });
    });

    it("finds no object that was deleted since", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first");
      await remove(key);

      await expect(get(key, { IfNoneMatch: ETag })).rejects.toMatchObject({ name: "NoSuchKey" });
    });
  });

  describe("an old version", () => {
    it("is read by its id", async () => {
      const key = newKey();
      const { VersionId = "" } = await put(key, "first");
      await put(key, "second");

      await expect(get(key, { VersionId })).resolves.toMatchObject({ text: "first", VersionId });
      await expect(head(key, { VersionId })).resolves.toMatchObject({ ContentLength: 5, VersionId });
    });

    it("is read after the object was deleted, and is current again after the marker was removed", async () => {
      const key = newKey();
      const { VersionId = "" } = await put(key, "first");
      const marker = await remove(key);

      expect(marker).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
      await expect(get(key, { VersionId })).resolves.toMatchObject({ text: "first" });
      await expect(get(key)).rejects.toMatchObject({ name: "NoSuchKey" });
      await expect(head(key)).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });

      await remove(key, marker.VersionId);
      await expect(get(key)).resolves.toMatchObject({ text: "first", VersionId });
    });

    it("that does not exist is NoSuchVersion", async () => {
      const key = newKey();
      await put(key, "first");
      const { VersionId = "" } = await put(newKey(), "of another object");

      await expect(get(key, { VersionId })).rejects.toMatchObject({
        name: "NoSuchVersion",
        $metadata: { httpStatusCode: 404 },
      });
    });

    itUnlessMoto("that is a delete marker cannot be read", "NoSuchVersion", async () => {
      const key = newKey();
      await put(key, "first");
      const { VersionId = "" } = await remove(key);

      await expect(get(key, { VersionId })).rejects.toMatchObject({
        name: "MethodNotAllowed",
        $metadata: { httpStatusCode: 405 },
      });
    });

    it("is removed by its id", async () => {
      const key = newKey();
      const { VersionId = "" } = await put(key, "first");
      await put(key, "second");

      await remove(key, VersionId);

      await expect(get(key, { VersionId })).rejects.toMatchObject({ name: "NoSuchVersion" });
      await expect(get(key)).resolves.toMatchObject({ text: "second" });
    });
  });

  describe("a deletion", () => {
    itUnlessMoto("of an absent object leaves a delete marker", "succeeds without one", async () => {
      const key = newKey();

      await expect(remove(key)).resolves.toMatchObject({ DeleteMarker: true });

      const { DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }));
      expect(DeleteMarkers).toMatchObject([{ Key: key, IsLatest: true }]);
    });
  });

  describe("a bucket without versioning", () => {
    const here = { Bucket: unversioned };

    it("has no VersionIds, and keeps only the last content", async () => {
      const key = newKey();
      const first = await put(key, "first", here);
      await put(key, "second", here);

      const read = await get(key, here);
      const { Versions } = await s3.send(new ListObjectVersionsCommand({ ...here, Prefix: key }));

      expect(first.VersionId).toBeUndefined();
      expect(read).toMatchObject({ text: "second" });
      expect(read.VersionId).toBeUndefined();
      expect(Versions).toMatchObject([{ Key: key, VersionId: "null", IsLatest: true }]);
    });

    it("has conditional puts too", async () => {
      const key = newKey();
      const { ETag } = await put(key, "first", { ...here, IfNoneMatch: "*" });

      await expect(put(key, "x", { ...here, IfNoneMatch: "*" })).rejects.toMatchObject({
        name: "PreconditionFailed",
      });
      await put(key, "second", { ...here, IfMatch: ETag });
      await expect(get(key, here)).resolves.toMatchObject({ text: "second" });
    });

    it("deletes without a marker", async () => {
      const key = newKey();
      await put(key, "first", here);

      const removed = await s3.send(new DeleteObjectCommand({ ...here, Key: key }));

      expect(removed.DeleteMarker).toBeUndefined();
      const { Versions, DeleteMarkers } = await s3.send(
        new ListObjectVersionsCommand({ ...here, Prefix: key }),
      );
      expect([...(Versions ?? []), ...(DeleteMarkers ?? [])]).toEqual([]);
    });
  });

  describe("the functions' own GET", () =>
    describeReadObject(() => ({ backend, s3, bucket, unversioned }), itUnlessMoto));

  describe("a list of objects", () => {
    const prefix = `list-${randomUUID()}/`;
    const keys = ["Z", "a", "b/1", "b/2", "é"].map((name) => prefix + name);
    beforeAll(async () => {
      for (const key of keys.toReversed()) await put(key, key);
      await put(`${prefix}deleted`, "x");
      await remove(`${prefix}deleted`);
      await put(keys[0] ?? "", "again");
    });
    const page = (more: object = {}) =>
      s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...more }));

    it("has each current object once, in the order of the keys' bytes", async () => {
      const { Contents, IsTruncated, KeyCount } = await page();

      expect(Contents?.map(({ Key }) => Key)).toEqual(keys);
      expect({ IsTruncated, KeyCount }).toEqual({ IsTruncated: false, KeyCount: keys.length });
      expect(Contents?.[0]).toMatchObject({
        Size: 5,
        ETag: `"${createHash("md5").update("again").digest("hex")}"`,
        LastModified: expect.any(Date),
      });
    });

    it("has only keys with the prefix", async () => {
      const { Contents } = await page({ Prefix: `${prefix}b/` });

      expect(Contents?.map(({ Key }) => Key)).toEqual([`${prefix}b/1`, `${prefix}b/2`]);
    });

    it("comes in pages of max-keys", async () => {
      const pages: (string | undefined)[][] = [];
      let ContinuationToken: string | undefined;
      do {
        const {
          Contents = [],
          NextContinuationToken,
          IsTruncated,
        } = await page({
          MaxKeys: 2,
          ContinuationToken,
        });
        pages.push(Contents.map(({ Key }) => Key));
        expect(IsTruncated).toBe(NextContinuationToken !== undefined);
        ContinuationToken = NextContinuationToken;
      } while (ContinuationToken !== undefined);

      expect(pages).toEqual([keys.slice(0, 2), keys.slice(2, 4), keys.slice(4)]);
    });

    it("is empty for a prefix that no key has", async () => {
      const { Contents, KeyCount } = await page({ Prefix: `${prefix}none/` });

      expect({ Contents, KeyCount }).toEqual({ Contents: undefined, KeyCount: 0 });
    });
  });

  describe("a list of versions", () => {
    const prefix = `versions-${randomUUID()}/`;
    /** In the order of the list: by key, newest first. */
    const expected: Entry[] = [];
    beforeAll(async () => {
      const pointer = `${prefix}pointer`;
      for (const body of ["1", "2", "3"]) {
        const { VersionId } = await put(pointer, body);
        for (const entry of expected) entry.IsLatest = false;
        expected.unshift({ Key: pointer, VersionId, IsLatest: true });
      }
      const part = await put(`${prefix}part`, "x");
      const marker = await remove(`${prefix}part`);
      expected.unshift(
        { Key: `${prefix}part`, VersionId: marker.VersionId, IsLatest: true },
        { Key: `${prefix}part`, VersionId: part.VersionId, IsLatest: false },
      );
    });
    const page = (more: object = {}) =>
      s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...more }));
    const fieldsOf = ({ Key, VersionId, IsLatest }: Entry): Entry => ({
      Key,
      VersionId,
      IsLatest,
    });

    it("has all versions, newest first, and the delete markers apart", async () => {
      const { Versions = [], DeleteMarkers = [], IsTruncated } = await page();

      expect(DeleteMarkers.map(fieldsOf)).toEqual(expected.slice(0, 1));
      expect(Versions.map(fieldsOf)).toEqual(expected.slice(1));
      expect(IsTruncated).toBe(false);
      expect(Versions[1]).toMatchObject({
        Size: 1,
        ETag: `"${createHash("md5").update("3").digest("hex")}"`,
      });
    });

    it("comes in pages of max-keys, also within the versions of one key", async () => {
      const entries: object[] = [];
      const sizes: number[] = [];
      let markers: object = {};
      for (;;) {
        const { Versions = [], DeleteMarkers = [], ...rest } = await page({ MaxKeys: 2, ...markers });
        entries.push(...DeleteMarkers.map(fieldsOf), ...Versions.map(fieldsOf));
        sizes.push(Versions.length + DeleteMarkers.length);
        if (rest.IsTruncated !== true) break;
        markers = { KeyMarker: rest.NextKeyMarker, VersionIdMarker: rest.NextVersionIdMarker };
      }

      expect(entries).toEqual(expected);
      expect(sizes).toEqual([2, 2, 1]);
    });
  });
}

function describeReadObject(
  arrange: () => { backend: AwsBackend; s3: S3Client; bucket: string; unversioned: string },
  itUnlessMoto: (title: string, motoDoes: string, test: () => Promise<void>) => void,
): void {
  const scene = () => {
    const { backend, s3, ...buckets } = arrange();
    const { env, region } = backend;
    const credentials = credentialsOf(backend);
    const readObject = readObjectWith({ region, env, credentials: async () => credentials });
    return {
      ...buckets,
      read: (object: ObjectRequest) => readObject(object, startTimeBudget(20_000)),
      put: (Bucket: string, Key: string, Body: string | Buffer) =>
        s3.send(new PutObjectCommand({ Bucket, Key, Body })),
      remove: (Bucket: string, Key: string, VersionId?: string) =>
        s3.send(new DeleteObjectCommand({ Bucket, Key, ...(VersionId !== undefined && { VersionId }) })),
    };
  };

  it.each(KEYS)("reads an object with the key %s", async (name) => {
    const { bucket, put, read } = scene();
    const key = `${randomUUID()}/${name}`;
    const { ETag: etag, VersionId: versionId } = await put(bucket, key, name);

    const result = await read({ bucket, key });

    expect(result).toEqual({ kind: "object", body: Buffer.from(name), etag, versionId });
  });

  it("reads some megabytes", async () => {
    const { bucket, put, read } = scene();
    const body = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef");
    await put(bucket, "large", body);

    const result = await read({ bucket, key: "large" });

    expect(result.kind === "object" && body.equals(result.body)).toBe(true);
  });

  it("says unchanged for the same ETag, and reads the object after a change", async () => {
    const { bucket, put, read } = scene();
    const key = randomUUID();
    const { ETag: etag = "" } = await put(bucket, key, "first");

    await expect(read({ bucket, key, etag })).resolves.toEqual({ kind: "unchanged" });
    await put(bucket, key, "second");
    await expect(read({ bucket, key, etag })).resolves.toMatchObject({ body: Buffer.from("second") });
  });

  it("says absent for an object that was never put", async () => {
    const { bucket, unversioned, read, put, remove } = scene();
    const key = randomUUID();
    await expect(read({ bucket, key })).resolves.toEqual({ kind: "absent" });
    await expect(read({ bucket, key, etag: '"any"' })).resolves.toEqual({ kind: "absent" });

    await put(unversioned, key, "first");
    await remove(unversioned, key);
    await expect(read({ bucket: unversioned, key })).resolves.toEqual({ kind: "absent" }); // S3 cannot know more
  });

  itUnlessMoto(
    "says deleted for an object that was deleted, until no version of it is left",
    "no header",
    async () => {
      const { bucket, put, read, remove } = scene();
      const key = randomUUID();
      const { ETag: etag = "", VersionId: first } = await put(bucket, key, "first");
      const { VersionId: marker } = await remove(bucket, key);

      await expect(read({ bucket, key })).resolves.toEqual({ kind: "absent", isDeleted: true });
      await expect(read({ bucket, key, etag })).resolves.toEqual({ kind: "absent", isDeleted: true });

      await remove(bucket, key, marker);
      await expect(read({ bucket, key })).resolves.toMatchObject({ kind: "object", etag });
      await remove(bucket, key, first);
      await expect(read({ bucket, key })).resolves.toEqual({ kind: "absent" });
    },
  );

  it("gives no version in a bucket without versioning", async () => {
    const { unversioned: bucket, put, read } = scene();
    const { ETag: etag } = await put(bucket, "key", "x");

    await expect(read({ bucket, key: "key" })).resolves.toEqual({
      ...{ kind: "object", body: Buffer.from("x"), etag },
    });
  });

  it("reports an absent bucket, and not an absent object", async () => {
    const { read } = scene();

    await expect(read({ bucket: `absent-${randomUUID()}`, key: "key" })).rejects.toMatchObject({
      code: "BINDINGS_STORE_NOT_FOUND",
      retryable: false,
    });
  });
}

const KEYS = [
  "a key/with spaces/and+plus.json",
  "ü/é/日本.json",
  "q?x=1&y=#%2F.json",
  "(brackets)/it's!*.json",
  "double//slash.json",
  "dots/../../up.json",
];

type Entry = {
  Key?: string | undefined;
  VersionId?: string | undefined;
  IsLatest?: boolean | undefined;
};

/** The SDK's own client; without retries, so that a test sees each answer. */
export function s3ClientOf(backend: AwsBackend, credentials = credentialsOf(backend)): S3Client {
  const endpoint = backend.env.AWS_ENDPOINT_URL_S3;
  if (endpoint === undefined) throw new Error("The backend has no AWS_ENDPOINT_URL_S3");
  return new S3Client({ region: backend.region, endpoint, credentials, maxAttempts: 1 });
}
