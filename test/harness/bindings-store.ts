import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { BindingsBucket } from "../../cli/publish/bindings-bucket.ts";
import { type Published, publishBindings, rollBack } from "../../cli/publish/publish-bindings.ts";
import { s3Bucket } from "../../cli/publish/s3-bucket.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { POINTER_KEY } from "../../shared/bindings/published/pointer.ts";
import type { Backend } from "./backend.ts";
import { pinnedCluster } from "./relay.ts";
import type { SandboxBackend } from "./start-sandbox-backend.ts";

/** A bucket of the backend with a publisher. */
export type BindingsStore = {
  readonly bucket: BindingsBucket;
  /** Publishes these bindings, by the real publisher. By default they are of the backend's cluster. */
  publish(bindings: readonly object[], relay?: string, clusters?: object): Promise<void>;
  /** S3's version of the pointer in force, by which an event names its publication. */
  versionInForce(): Promise<string>;
  /** Removes a version of the pointer, as the lifecycle of the bucket does. */
  removeVersion(versionId: string): Promise<void>;
  /** Puts an earlier generation in force again. */
  rollBackTo(generation: number): Promise<void>;
  /** Deletes the pointer, as `aws s3 rm` does: its versions stay. */
  deletePointer(): Promise<void>;
  /** Removes all versions of the pointer: S3's state is that before the first publication. */
  clear(): Promise<void>;
  close(): void;
};

export async function openBindingsStore(backend: Backend): Promise<BindingsStore> {
  const name = `bindings-${randomUUID()}`;
  const { region, env } = backend.aws;
  const client = new S3Client({
    region,
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? "",
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
    },
  });
  await createBucket(backend, client, name);
  const bucket = s3Bucket(client, name, (_what, error) => {
    throw error;
  });
  const publisher = {
    callerArn: "arn:aws:iam::111122223333:role/publisher",
    now: Date.now,
    reportProgress: () => {},
  };
  return {
    bucket,
    publish: async (bindings, relay, clusters = { main: pinnedCluster(backend) }) => {
      const file = {
        version: 1,
        ...(relay && { relay }),
        clusters,
        bindings,
      };
      const compiled = loadBindings(JSON.stringify(file), "bindings.yaml");
      expectPublished(await publishBindings(bucket, compiled, await bucket.readPointer(), publisher));
    },
    rollBackTo: async (generation) => {
      const before = await bucket.readPointer();
      for await (const { versionId } of bucket.listPointerVersions()) {
        const stored = await bucket.readPointer(versionId);
        if (stored?.pointer.generation !== generation || before === undefined) continue;
        expectPublished(await rollBack(bucket, stored.pointer, before, publisher));
        return;
      }
      throw new Error(`There is no generation ${generation}`);
    },
    versionInForce: async () => (await bucket.readPointer())?.versionId ?? "",
    removeVersion: async (VersionId) => {
      await client.send(new DeleteObjectCommand({ Bucket: name, Key: POINTER_KEY, VersionId }));
    },
    deletePointer: async () => {
      await client.send(new DeleteObjectCommand({ Bucket: name, Key: POINTER_KEY }));
    },
    clear: async () => {
      const { Versions = [], DeleteMarkers = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: name, Prefix: POINTER_KEY }),
      );
      for (const { VersionId } of [...Versions, ...DeleteMarkers]) {
        await client.send(new DeleteObjectCommand({ Bucket: name, Key: POINTER_KEY, VersionId }));
      }
    },
    close: () => client.destroy(),
  };
}

function expectPublished({ kind }: Published): void {
  if (kind !== "published") throw new Error("Another publication came first");
}

async function createBucket(backend: Backend, client: S3Client, Bucket: string): Promise<void> {
  if (backend.name === "sandbox") {
    (backend as SandboxBackend).sandbox.aws.addBucket(Bucket, { versioned: true });
    return;
  }
  const LocationConstraint = backend.aws.region as "eu-west-1";
  await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
}
