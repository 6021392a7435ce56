import { createHash, createHmac, randomUUID } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AwsEvent, type AwsSandbox, startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { readObjectWith } from "../../shared/bindings/published/read-object.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { describeS3Contract, s3ClientOf } from "../contract/s3-contract.ts";
import { credentialsOf, type TestCredentials } from "../harness/aws-clients.ts";
import { runs } from "../harness/property-runs.ts";

describe("the sandbox answers as S3", () => {
  describeS3Contract({
    name: "sandbox",
    start: () => startAwsSandbox(),
    addBucket: async (backend, name, options) => (backend as AwsSandbox).addBucket(name, options),
  });
});

/** Keys of up to 60 characters, with the characters that URLs treat in some way more often than others. */
const anyKey = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...` /.?#%&=+:;,@!'()*~"<>\\^|[]{}$`),
    fc.string({ unit: "grapheme", minLength: 1 }),
  ),
  minLength: 1,
  maxLength: 60,
});

describe("the sandbox's S3", () => {
  const MINUTE_MS = 60_000;
  const Bucket = "bindings";
  let sandbox: AwsSandbox;
  let s3: S3Client;
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 0;
    sandbox = await startAwsSandbox({ now: () => Date.now() + aheadMs });
    sandbox.addBucket(Bucket, { versioned: true });
    s3 = s3ClientOf(sandbox);
  });
  afterEach(async () => {
    s3.destroy();
    await sandbox.stop();
  });

  const put = (Key: string, Body: string, more: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = (Key: string, from = s3) => from.send(new GetObjectCommand({ Bucket, Key }));
  const failureOf = (sent: Promise<unknown>) =>
    sent.then(
      () => undefined,
      ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
    );

  type RawRequest = {
    method?: string;
    path?: string;
    region?: string;
    credentials?: TestCredentials;
    signedAt?: number;
    body?: string;
    headers?: Record<string, string>;
    unsigned?: boolean;
    tamper?: (headers: Record<string, string>) => void;
  };

  /** Signed here, by the rules of S3's documentation, so that it can be wrong. */
  const send = async (raw: RawRequest) => {
    const { method = "GET", path = `/${Bucket}/key`, region = sandbox.region, body = "" } = raw;
    const { accessKeyId, secretAccessKey, sessionToken } = raw.credentials ?? credentialsOf(sandbox);
    const { host } = new URL(sandbox.endpoint);
    const stamp = new Date(raw.signedAt ?? sandbox.now()).toISOString().replace(/[-:]|\.\d{3}/g, "");
    const headers: Record<string, string> = {
      host,
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      "x-amz-date": stamp,
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
      ...raw.headers,
    };
    const names = Object.keys(headers).sort();
    const [pathOnly, query = ""] = path.split("?");
    const canonical = [
      method,
      pathOnly,
      query,
      ...names.map((name) => `${name}:${headers[name]}`),
      "",
      names.join(";"),
      headers["x-amz-content-sha256"],
    ].join("\n");
    const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
    const digest = createHash("sha256").update(canonical).digest("hex");
    const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
    const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${digest}`).toString("hex");
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
    raw.tamper?.(headers);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(`${sandbox.endpoint}`, { method, path, headers }, resolve).on("error", reject).end(body);
    });
    const text = Buffer.concat(await response.toArray()).toString();
    const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1];
    return { status: response.statusCode, code, text, headers: response.headers };
  };

  describe("checks a signature by S3's rules", () => {
    beforeEach(async () => {
      await put("key", "content");
    });

    it.each(["/bindings/a%20b/%C3%BC%2Bc%21.json", "/bindings/a//b", "/bindings/..%2Fup"])(
      "and encodes the path only once: %s",
      async (path) => {
        await expect(send({ method: "PUT", path, body: "x" })).resolves.toMatchObject({ status: 200 });
        await expect(send({ path })).resolves.toMatchObject({ status: 200, text: "x" });
      },
    );

    it("with the hash of the body in the header, or with UNSIGNED-PAYLOAD", async () => {
      const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };

      await expect(send({ method: "PUT", body: "x", headers })).resolves.toMatchObject({ status: 200 });
    });

    it.each<{ it: string; request: () => RawRequest; status: number; code: string }>([
      {
        it: "a wrong hash of the body",
        request: () => ({ method: "PUT", body: "x", headers: { "x-amz-content-sha256": "0".repeat(64) } }),
        status: 400,
        code: "XAmzContentSHA256Mismatch",
      },
      {
        it: "a wrong checksum of the body",
        request: () => ({ method: "PUT", body: "x", headers: { "x-amz-checksum-crc32": "AAAAAA==" } }),
        status: 400,
        code: "BadDigest",
      },
      {
        it: "chunks that are signed one by one",
        request: () => ({
          method: "PUT",
          headers: { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
        }),
        status: 501,
        code: "NotImplemented",
      },
      {
        it: "a header that was changed",
        request: () => ({
          headers: { "if-none-match": "a" },
          tamper: (headers) => {
            headers["if-none-match"] = "b";
          },
        }),
        status: 403,
        code: "SignatureDoesNotMatch",
      },
      {
        it: "another Region in the scope",
        request: () => ({ region: "us-east-1" }),
        status: 400,
        code: "AuthorizationHeaderMalformed",
      },
      {
        it: "a time 16 minutes ago",
        request: () => ({ signedAt: sandbox.now() - 16 * MINUTE_MS }),
        status: 403,
        code: "RequestTimeTooSkewed",
      },
      {
        it: "an unknown access key",
        request: () => ({ credentials: { accessKeyId: "AKIAUNKNOWN000000000", secretAccessKey: "x" } }),
        status: 403,
        code: "InvalidAccessKeyId",
      },
      {
        it: "another session token",
        request: () => ({ credentials: { ...credentialsOf(sandbox), sessionToken: "x" } }),
        status: 400,
        code: "InvalidToken",
      },
      {
        it: "a header that the sandbox would ignore",
        request: () => ({ headers: { range: "bytes=0-1" } }),
        status: 501,
        code: "NotImplemented",
      },
      {
        it: "a subresource that the sandbox lacks",
        request: () => ({ path: `/${Bucket}/key?tagging=` }),
        status: 501,
        code: "NotImplemented",
      },
    ])("and refuses $it", async ({ request, status, code }) => {
      await expect(send(request())).resolves.toMatchObject({ status, code });
      const { Body } = await get("key");
      await expect(Body?.transformToString()).resolves.toBe("content");
    });

    it("and accepts a clock that is 14 minutes slow", async () => {
      await expect(send({ signedAt: sandbox.now() - 14 * MINUTE_MS })).resolves.toMatchObject({
        status: 200,
      });
    });

    it("and refuses expired credentials as ExpiredToken", async () => {
      const role = { roleName: "relay", sessionName: "s", lifeMs: 15 * MINUTE_MS };
      const credentials = sandbox.issueCredentials(role);
      await expect(send({ credentials })).resolves.toMatchObject({ status: 200 });

      aheadMs = 16 * MINUTE_MS;

      await expect(send({ credentials })).resolves.toMatchObject({ status: 400, code: "ExpiredToken" });
    });
  });

  it("answers a condition that holds without a body and without its length", async () => {
    const { ETag = "" } = await put("key", "content");

    const { status, text, headers } = await send({ headers: { "if-none-match": ETag } });

    expect({ status, text }).toEqual({ status: 304, text: "" });
    expect(headers["content-length"]).toBeUndefined();
    expect(headers.etag).toBe(ETag);
  });

  it("prints errors as S3 does", async () => {
    const { text, headers } = await send({ path: `/${Bucket}/a%26b` });

    expect(text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>[^<]+<\/Message><Key>a&#38;b<\/Key><RequestId>/,
    );
    expect(headers["content-type"]).toBe("application/xml");
  });

  it("sends the Region of a bucket that is in another one", async () => {
    sandbox.addBucket("elsewhere", { region: "us-west-2" });

    const { status, code, headers } = await send({ path: "/elsewhere/key" });

    expect({ status, code }).toEqual({ status: 301, code: "PermanentRedirect" });
    expect(headers["x-amz-bucket-region"]).toBe("us-west-2");
  });

  describe("has faults", () => {
    const faults = [
      { fault: { kind: "throttle" }, failure: "503 SlowDown" },
      { fault: { kind: "serverError" }, failure: "500 InternalError" },
      { fault: { kind: "accessDenied" }, failure: "403 AccessDenied" },
      { fault: { kind: "expiredCredentials" }, failure: "400 ExpiredToken" },
      { fault: { kind: "reset" }, failure: /^undefined / },
    ] as const;
    it.each(faults)("$fault.kind, by operation and key", async ({ fault, failure }) => {
      await put("pointer", "x");
      await put("part", "x");
      sandbox.faults.add({ ...fault, match: { operation: "GetObject", objectKey: "pointer" } });

      expect(await failureOf(get("pointer"))).toMatch(failure);
      await expect(get("part")).resolves.toMatchObject({ ETag: expect.any(String) });
      await expect(put("pointer", "y")).resolves.toMatchObject({ ETag: expect.any(String) });
    });

    it("conflictingPut, for conditional puts only, which change nothing", async () => {
      const { ETag = "", VersionId } = await put("pointer", "first");
      const { hits } = sandbox.faults.add({ kind: "conflictingPut", times: 2 });
      expect(hits).toBe(0);

      await expect(put("other", "x")).resolves.toMatchObject({ ETag: expect.any(String) });
      const conflict = "409 ConditionalRequestConflict";
      await expect(failureOf(put("pointer", "second", { IfMatch: ETag }))).resolves.toBe(conflict);
      await expect(failureOf(put("new", "x", { IfNoneMatch: "*" }))).resolves.toBe(conflict);

      await expect(get("pointer")).resolves.toMatchObject({ VersionId });
      await expect(put("pointer", "second", { IfMatch: ETag })).resolves.toMatchObject({
        ETag: expect.any(String),
      });
    });

    it("reset after the request was served: the put took effect", async () => {
      sandbox.faults.add({ kind: "reset", when: "after", times: 1, match: { operation: "PutObject" } });

      await expect(failureOf(put("pointer", "x", { IfNoneMatch: "*" }))).resolves.toBeDefined();
      await expect(get("pointer")).resolves.toMatchObject({ ETag: expect.any(String) });
    });
  });

  it("holds a read between its result and its response, so that it returns an older state", async () => {
    await put("pointer", "old");
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const unhook = sandbox.after(async ({ operation }) => {
      if (operation !== "GetObject") return;
      arrived.resolve();
      await release.promise;
    });

    const reading = get("pointer");
    await arrived.promise;
    await put("pointer", "new");
    release.resolve();

    const { Body } = await reading;
    await expect(Body?.transformToString()).resolves.toBe("old");
    unhook();
  });

  it("and the functions' own GET agree with the SDK on the encoding and the signature of any key", async () => {
    const credentials = async () => credentialsOf(sandbox);
    const read = readObjectWith({ region: sandbox.region, env: sandbox.env, credentials });
    await fc.assert(
      fc.asyncProperty(anyKey, async (key) => {
        const { ETag: etag, VersionId: versionId } = await put(key, key);

        const result = await read({ bucket: Bucket, key }, startTimeBudget(20_000));

        expect(result).toEqual({ kind: "object", body: Buffer.from(key), etag, versionId });
      }),
      { numRuns: runs(40) },
    );
  });

  it("counts requests by operation", async () => {
    await put("key", "x");
    await get("key");
    await failureOf(get("absent"));
    await s3.send(new HeadObjectCommand({ Bucket, Key: "key" }));
    await s3.send(new ListObjectVersionsCommand({ Bucket }));

    const { counters } = sandbox;
    expect(Object.fromEntries(counters.calls)).toEqual({
      PutObject: 1,
      GetObject: 2,
      HeadObject: 1,
      ListObjectVersions: 1,
    });
    expect(counters.secretValuesServed).toBe(0);
  });

  describe("sends events", () => {
    const collect = () => {
      const events: AwsEvent[] = [];
      sandbox.onEvent((event) => void events.push(event));
      return events;
    };

    it("Object Created, for each put that succeeded", async () => {
      const events = collect();
      const key = "a key+1.json";

      const { ETag = "", VersionId } = await put(key, "content");
      await failureOf(put(key, "content", { IfNoneMatch: "*" }));
      await get(key);
      await sandbox.events.settled();

      expect(events).toEqual([
        {
          version: "0",
          id: expect.any(String),
          "detail-type": "Object Created",
          source: "aws.s3",
          account: sandbox.accountId,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          region: sandbox.region,
          resources: [`arn:aws:s3:::${Bucket}`],
          detail: expect.objectContaining({
            version: "0",
            bucket: { name: Bucket },
            object: {
              key,
              size: 7,
              etag: ETag.replaceAll('"', ""),
              "version-id": VersionId,
              sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
            },
            reason: "PutObject",
          }),
        },
      ]);
    });

    it("with a sequencer that grows, without a version in a bucket without versioning", async () => {
      const events = collect();
      const bucket = `plain-${randomUUID()}`;
      sandbox.addBucket(bucket);

      for (const Body of ["1", "2"]) await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body }));
      await sandbox.events.settled();

      const objects = events.map(({ detail }) => detail.object as Record<string, string>);
      expect(objects.map((object) => object["version-id"])).toEqual([undefined, undefined]);
      const [first, second] = objects.map(({ sequencer = "" }) => sequencer);
      expect(first && second && first < second).toBe(true);
    });

    it("dropped or twice on demand, like those of Secrets Manager", async () => {
      const events = collect();
      sandbox.events.delivery = () => [0, 1];
      await put("key", "x");
      sandbox.events.delivery = () => [];
      await put("key", "y");
      await sandbox.events.settled();

      expect(events).toHaveLength(2);
    });
  });
});
