import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../sandbox/aws/faults.ts";
import { type AwsSandbox, startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { objectUrlsIn } from "../../shared/bindings/published/object-url.ts";
import { type ObjectReaderOptions, readObjectWith } from "../../shared/bindings/published/read-object.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { s3ClientOf } from "../contract/s3-contract.ts";
import { credentialsOf } from "../harness/aws-clients.ts";
import { runs } from "../harness/property-runs.ts";

describe("an object of the store", () => {
  const object = { bucket: "bindings", key: "pointer.json" };
  let sandbox: AwsSandbox;
  let etag: string;
  beforeEach(async () => {
    sandbox = await startAwsSandbox();
    sandbox.addBucket(object.bucket, { versioned: true });
    const s3 = s3ClientOf(sandbox);
    const put = new PutObjectCommand({ Bucket: object.bucket, Key: object.key, Body: "{}" });
    etag = (await s3.send(put)).ETag ?? "";
    s3.destroy();
    sandbox.counters.reset();
  });
  afterEach(() => sandbox.stop());

  const arrange = (options: Partial<ObjectReaderOptions> = {}) => {
    const waits: number[] = [];
    const refreshes: boolean[] = [];
    const read = readObjectWith({
      region: sandbox.region,
      env: sandbox.env,
      credentials: async ({ forceRefresh = false } = {}) => {
        refreshes.push(forceRefresh);
        return credentialsOf(sandbox);
      },
      wait: async (ms) => void waits.push(ms),
      ...options,
    });
    return { read, waits, refreshes };
  };
  const fail = (fault: Fault) => sandbox.faults.add(fault);

  it.each<{ it: string; fault: Fault }>([
    { it: "throttles", fault: { kind: "throttle", times: 3 } },
    { it: "has an internal error", fault: { kind: "serverError", times: 3 } },
    { it: "cuts the connection", fault: { kind: "reset", times: 3 } },
  ])("is read after S3 $it three times, with a longer pause each time", async ({ fault }) => {
    fail(fault);
    const { read, waits } = arrange();

    await expect(read(object, startTimeBudget(20_000))).resolves.toMatchObject({ kind: "object", etag });

    expect(waits).toHaveLength(3);
    for (const [at, full] of [50, 100, 200].entries()) {
      expect(waits[at]).toBeGreaterThanOrEqual(full / 2);
      expect(waits[at]).toBeLessThanOrEqual(full);
    }
  });

  it.each<{ it: string; fault: Fault; code: string; retryable: boolean; requests: number }>([
    {
      it: "throttles",
      fault: { kind: "throttle" },
      code: "BINDINGS_STORE_THROTTLED",
      retryable: true,
      requests: 4,
    },
    {
      it: "has internal errors",
      fault: { kind: "serverError" },
      code: "BINDINGS_STORE_UNREACHABLE",
      retryable: true,
      requests: 4,
    },
    {
      it: "cuts connections",
      fault: { kind: "reset" },
      code: "BINDINGS_STORE_UNREACHABLE",
      retryable: true,
      requests: 4,
    },
    {
      it: "denies access",
      fault: { kind: "accessDenied" },
      code: "BINDINGS_STORE_DENIED",
      retryable: false,
      requests: 1,
    },
    {
      it: "calls renewed credentials expired too",
      fault: { kind: "expiredCredentials" },
      code: "BINDINGS_STORE_CREDENTIALS_EXPIRED",
      retryable: true,
      requests: 2,
    },
  ])("gives $code while S3 $it, after $requests requests", async ({ fault, code, retryable, requests }) => {
    fail(fault);
    const { read } = arrange();

    for (const more of [{}, { etag }]) {
      sandbox.counters.reset();
      await expect(read({ ...object, ...more }, startTimeBudget(20_000))).rejects.toMatchObject({
        code,
        retryable,
        message: expect.stringContaining(`s3://${object.bucket}/${object.key}`),
      });
      expect(sandbox.counters.callsOf("GetObject")).toBe(requests);
    }
  });

  it("is read with renewed credentials after the first ones expired", async () => {
    fail({ kind: "expiredCredentials", times: 1 });
    const { read, refreshes, waits } = arrange();

    await expect(read(object, startTimeBudget(20_000))).resolves.toMatchObject({ kind: "object" });

    expect(refreshes).toEqual([false, true]);
    expect(waits).toEqual([]);
  });

  it("is read with session credentials", async () => {
    const role = { roleName: "relay", sessionName: "rotation", lifeMs: 900_000 };
    const { read } = arrange({ credentials: async () => sandbox.issueCredentials(role) });

    await expect(read(object, startTimeBudget(20_000))).resolves.toMatchObject({ kind: "object" });
  });

  it("gives an error without the provider's message when the provider fails", async () => {
    const { read } = arrange({
      credentials: () => Promise.reject(new Error("a message that may hold anything")),
    });

    await expect(read(object, startTimeBudget(20_000))).rejects.toMatchObject({
      code: "BINDINGS_STORE_CREDENTIALS_EXPIRED",
      message: expect.not.stringContaining("anything"),
    });
    expect(sandbox.counters.callsTotal).toBe(0);
  });

  it("in another Region gives an error that names the command to find it", async () => {
    sandbox.addBucket("elsewhere", { region: "us-west-2" });
    const { read } = arrange();

    await expect(read({ ...object, bucket: "elsewhere" }, startTimeBudget(20_000))).rejects.toMatchObject({
      code: "BINDINGS_STORE_REDIRECTED",
      retryable: false,
      message: expect.stringContaining("aws s3api get-bucket-location --bucket elsewhere"),
    });
    expect(sandbox.counters.callsTotal).toBe(1);
  });

  it("signed for a wrong Region gives the same error", async () => {
    const { read } = arrange({ region: "eu-central-1" });

    await expect(read(object, startTimeBudget(20_000))).rejects.toMatchObject({
      code: "BINDINGS_STORE_REDIRECTED",
    });
  });

  it("is asked for again with a new signature when the first one came too late", async () => {
    await sandbox.stop();
    let aheadMs = 20 * 60_000;
    sandbox = await startAwsSandbox({ now: () => Date.now() + aheadMs });
    sandbox.addBucket(object.bucket);
    const correctClock = async () => {
      aheadMs = 0;
    };
    const { read } = arrange({ wait: correctClock });

    await expect(read(object, startTimeBudget(20_000))).resolves.toEqual({ kind: "absent" });
    expect(sandbox.counters.callsTotal).toBe(2);
  });

  it("is given up with the time budget", async () => {
    fail({ kind: "latency", ms: 3_000 });
    const { read } = arrange();

    await expect(read(object, startTimeBudget(100))).rejects.toMatchObject({
      code: "BINDINGS_STORE_UNREACHABLE",
    });
  });
});

describe("the URL of an object", () => {
  const REGIONS = [
    ...["us-east-1", "eu-west-1", "ap-southeast-4", "me-central-1", "cn-north-1", "cn-northwest-1"],
    ...["us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"],
    "eusc-de-east-1",
  ];
  const client = new S3Client({ region: "eu-west-1" });

  it("matches the SDK in every partition, with FIPS and dual-stack, for names with dots too", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...REGIONS),
        fc.boolean(),
        fc.boolean(),
        fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
        (region, fips, dualStack, bucket) => {
          fc.pre(!/\.\.|\.-|-\.|--|^xn--|^\d+(\.\d+){3}$/.test(bucket));
          fc.pre(!(fips && region.startsWith("cn-"))); // AWS has no FIPS endpoints there
          const { href } = client.config.endpointProvider({
            ...{ Bucket: bucket, Region: region, UseFIPS: fips, UseDualStack: dualStack },
          }).url;
          const env = {
            AWS_USE_FIPS_ENDPOINT: String(fips),
            AWS_USE_DUALSTACK_ENDPOINT: String(dualStack),
          };

          const { protocol, hostname, path } = objectUrlsIn(region, env)({ bucket, key: "a/b" });

          expect(`${protocol}//${hostname}${path}`).toBe(`${href.replace(/\/$/, "")}/a/b`);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it.each([
    { env: { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:4566" }, url: "http://127.0.0.1:4566/bindings/a/b" },
    {
      env: { AWS_ENDPOINT_URL: "https://proxy.internal/s3/" },
      url: "https://proxy.internal/s3/bindings/a/b",
    },
    {
      env: { AWS_ENDPOINT_URL_S3: "https://s3.internal", AWS_ENDPOINT_URL: "https://other.internal" },
      url: "https://s3.internal/bindings/a/b",
    },
    {
      env: { AWS_ENDPOINT_URL_S3: "https://s3.internal", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      url: "https://bindings.s3.eu-west-1.amazonaws.com/a/b",
    },
    { env: { AWS_ENDPOINT_URL_S3: "" }, url: "https://bindings.s3.eu-west-1.amazonaws.com/a/b" },
  ])("follows the SDK's variables: $env", ({ env, url }) => {
    const at = objectUrlsIn("eu-west-1", env)({ bucket: "bindings", key: "a/b" });

    const port = at.port === undefined ? "" : `:${at.port}`;
    expect(`${at.protocol}//${at.hostname}${port}${at.path}`).toBe(url);
  });

  it.each(["localhost:4566", "file:///etc/passwd", "nonsense"])("refuses the endpoint %s", (endpoint) => {
    expect(() => objectUrlsIn("eu-west-1", { AWS_ENDPOINT_URL_S3: endpoint })).toThrow(
      expect.objectContaining({ code: "CONFIGURATION_INVALID" }),
    );
  });
});
