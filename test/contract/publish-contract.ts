import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AwsSession, openAwsSession } from "../../cli/live/aws-session.ts";
import type { BindingsBucket } from "../../cli/publish/bindings-bucket.ts";
import { comparePublished, compareWithPublished } from "../../cli/publish/compare-with-published.ts";
import { readLastPointer } from "../../cli/publish/last-pointer.ts";
import { publishBindings, rollBack } from "../../cli/publish/publish-bindings.ts";
import { readPublished } from "../../cli/publish/read-published.ts";
import { withBindingsBucket } from "../../cli/publish/s3-bucket.ts";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { openRules } from "../../shared/relay/open-rules.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { AwsBackend } from "../harness/backend.ts";

export type PublishUnderTest = {
  /** Its AWS settings must be in process.env. */
  backend(): AwsBackend;
  addBucket(backend: AwsBackend, name: string, options: { versioned: boolean }): Promise<void>;
};

/** Publishing to a bucket by S3's own client, and what a function then reads; the same on the sandbox and on moto. */
export function describePublishContract({ backend, addBucket }: PublishUnderTest): void {
  let aws: AwsSession;
  let name: string;
  beforeAll(async () => {
    aws = await openAwsSession({});
  });
  beforeEach(async () => {
    name = `bindings-${randomUUID()}`;
    await addBucket(backend(), name, { versioned: true });
  });

  const inBucket = <T>(use: (bucket: BindingsBucket) => Promise<T>) => withBindingsBucket(aws, name, use);

  /** What a function that starts now would follow. */
  const typesInForce = async (): Promise<unknown> => {
    const budget = startTimeBudget(20_000);
    const { region, client, location } = aws;
    const store = await openRules({ bindingsBucket: name }, { region, credentials: client.credentials });
    const { bindings } = await (await store.latest(budget)).all(location, budget);
    return { types: [...new Set(bindings.map(({ type }) => type))], count: bindings.length };
  };
  /** As `aws s3 rm --recursive`: a delete marker in place of each object. */
  const emptyBucket = async (): Promise<void> => {
    const { streamCollector: _, ...config } = aws.client;
    const client = new S3Client(config);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: name, Key }));
    client.destroy();
  };
  const publishFirst = () => inBucket((bucket) => publishBindings(bucket, OLD, undefined, ANNA));
  const OLD_IN_FORCE = { types: ["example.com/old"], count: COUNT };
  const NEW_IN_FORCE = { types: ["example.com/new"], count: COUNT };

  it("a first publication is in force at once, and is read as it was", async () => {
    const result = await publishFirst();

    expect(result).toMatchObject({ kind: "published", pointer: { generation: 1, publishedBy: "anna" } });
    expect(await typesInForce()).toEqual(OLD_IN_FORCE);
    const read = await inBucket(async (bucket) => {
      const stored = await bucket.readPointer();
      return stored && readPublished(bucket, stored.pointer);
    });
    const byName = (all: CompiledBindings["bindings"] = []) =>
      new Map(all.map((each) => [each.target.name, each]));
    expect(byName(read?.bindings)).toEqual(byName(OLD.bindings));
  });

  it("a publication that ends before any one of its writes leaves the old bindings in force", async () => {
    await publishFirst();
    let writes = 0;
    for (let fatal = 0; ; fatal += 1) {
      const ended = await inBucket(async (bucket) => {
        const before = await bucket.readPointer();
        writes = 0;
        return publishBindings(endingBefore(bucket, fatal), NEW, before, ANNA).catch(() => "ended" as const);
      });
      if (ended !== "ended") break;
      expect(await typesInForce()).toEqual(OLD_IN_FORCE);
    }
    expect(writes).toBeGreaterThan(4);
    expect(await typesInForce()).toEqual(NEW_IN_FORCE);

    function endingBefore(bucket: BindingsBucket, fatal: number): BindingsBucket {
      const step = () => {
        if (writes >= fatal) throw new Error("The publisher was killed");
        writes += 1;
      };
      return {
        ...bucket,
        putPart: async (hash, text) => {
          step();
          await bucket.putPart(hash, text);
        },
        putPointer: async (text, expected) => {
          step();
          return bucket.putPointer(text, expected);
        },
      };
    }
  });

  it("of two publications at once one wins, and the other learns which", async () => {
    await publishFirst();
    const results = await inBucket(async (bucket) => {
      const before = await bucket.readPointer();
      return Promise.all([
        publishBindings(bucket, NEW, before, ANNA),
        publishBindings(bucket, OTHER, before, BEN),
      ]);
    });

    expect(results.map(({ kind }) => kind).toSorted()).toEqual(["published", "superseded"]);
    const isAnna = results[0].kind === "published";
    expect(results[isAnna ? 1 : 0]).toMatchObject({
      by: { pointer: { generation: 2, publishedBy: isAnna ? "anna" : "ben" } },
    });
    expect(await typesInForce()).toMatchObject({ types: [isAnna ? "example.com/new" : "example.com/other"] });
  });

  it("of two first publications at once one wins", async () => {
    const results = await inBucket((bucket) =>
      Promise.all([
        publishBindings(bucket, OLD, undefined, ANNA),
        publishBindings(bucket, NEW, undefined, BEN),
      ]),
    );

    expect(results.map(({ kind }) => kind).toSorted()).toEqual(["published", "superseded"]);
  });

  it("every generation stays readable, the newest first, and can be put in force again", async () => {
    await publishFirst();
    const generations = await inBucket(async (bucket) => {
      await publishBindings(bucket, NEW, await bucket.readPointer(), BEN);
      const found: number[] = [];
      for await (const { versionId } of bucket.listPointerVersions()) {
        const stored = await bucket.readPointer(versionId);
        if (stored !== undefined) found.push(stored.pointer.generation);
      }
      return found;
    });
    expect(generations).toEqual([2, 1]);

    await inBucket(async (bucket) => {
      const versions: string[] = [];
      for await (const { versionId } of bucket.listPointerVersions()) versions.push(versionId);
      const [first, now] = [await bucket.readPointer(versions[1]), await bucket.readPointer()];
      if (first === undefined || now === undefined) throw new TypeError("Both are published");
      const result = await rollBack(bucket, first.pointer, now, ANNA);
      expect(result).toMatchObject({ kind: "published", pointer: { generation: 3, rollbackTo: 1 } });
    });
    expect(await typesInForce()).toEqual(OLD_IN_FORCE);
  });

  it("after the pointer and the parts were deleted, a publication is whole, and takes the next generation", async () => {
    await publishFirst();
    const result = await inBucket(async (bucket) => {
      await emptyBucket();
      expect(await bucket.readPointer()).toBeUndefined();
      const before = await readLastPointer(bucket);
      expect(before).toMatchObject({ pointer: { generation: 1 } });
      return publishBindings(bucket, OLD, before, ANNA);
    });

    expect(result).toMatchObject({ kind: "published", pointer: { generation: 2 } });
    expect(await typesInForce()).toEqual(OLD_IN_FORCE);
  });

  it("a difference reads only the parts that differ", async () => {
    await publishFirst();
    const [first, ...others] = OLD.bindings;
    if (first === undefined) throw new TypeError("The fleet has bindings");
    const changed = { ...OLD, bindings: [{ ...first, type: "example.com/new" }, ...others] };

    await inBucket(async (bucket) => {
      let read = 0;
      const readPart: BindingsBucket["readPart"] = (hash) => {
        read += 1;
        return bucket.readPart(hash);
      };
      const expected = { added: [], removed: [], changed: [{ fields: ["type"] }] };
      const before = await bucket.readPointer();
      if (before === undefined) throw new TypeError("It is published");

      expect(await compareWithPublished({ readPart }, changed, before)).toMatchObject(expected);
      expect(read).toBe(1);

      const published = await publishBindings(bucket, changed, before, ANNA);
      if (published.kind !== "published") throw new TypeError("Nothing else is published");
      read = 0;
      expect(await comparePublished({ readPart }, published.pointer, before.pointer)).toMatchObject(expected);
      expect(read).toBe(2);
    });
  });

  describe("a bucket", () => {
    it("that does not exist is named, with the remedy", async () => {
      const reading = withBindingsBucket(aws, `absent-${randomUUID()}`, (bucket) => bucket.readPointer());

      await expect(reading).rejects.toMatchObject({
        code: "BUCKET_NOT_FOUND",
        message: expect.stringContaining("sam deploy"),
      });
    });
  });
}

const COUNT = 900;
const CLUSTERS = { main: { name: "prod-eks", region: "eu-west-1" } };

/** Bindings of several parts, which differ in all of them. */
function fleet(type: string): CompiledBindings {
  const bindings = Array.from({ length: COUNT }, (_, at) => ({
    source: `team/db-${at}`,
    type,
    targets: [{ namespace: "shop", name: `db-${at}` }],
  }));
  return loadBindings(JSON.stringify({ version: 1, clusters: CLUSTERS, bindings }), "fleet");
}

const OLD = fleet("example.com/old");
const NEW = fleet("example.com/new");
const OTHER = fleet("example.com/other");
const publisherOf = (callerArn: string) => ({ callerArn, now: Date.now, reportProgress: () => {} });
const [ANNA, BEN] = [publisherOf("anna"), publisherOf("ben")];
