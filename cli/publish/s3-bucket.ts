import type { S3Client } from "@aws-sdk/client-s3";
import { keyOfPart, POINTER_KEY, parsePointer } from "../../shared/bindings/published/pointer.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "../live/aws-session.ts";
import type { BindingsBucket, PointerVersion, StoredPointer } from "./bindings-bucket.ts";

/** Runs `use` with the bucket of a stack. */
export async function withBindingsBucket<T>(
  aws: AwsSession,
  name: string,
  use: (bucket: BindingsBucket) => Promise<T>,
): Promise<T> {
  const { S3Client } = await import("@aws-sdk/client-s3");
  const { streamCollector: _, ...config } = aws.client; // bounds a response to 8 MB; the client would not read lists with it
  const client = new S3Client({ ...config, maxAttempts: 4 });
  try {
    return await use(s3Bucket(client, name, aws.classify));
  } finally {
    client.destroy();
  }
}

export function s3Bucket(client: S3Client, name: string, classify: AwsSession["classify"]): BindingsBucket {
  const failed = (what: string, permission: BucketPermission, error: unknown) => {
    const why = errorNameOf(error);
    if (why === "AccessDenied") return new BucketForbidden(name, permission);
    if (why === "NoSuchBucket") return new BucketNotFound(name);
    return classify(`${what} bucket ${name}`, error);
  };
  const read = async (key: string, versionId?: string) => {
    const { GetObjectCommand } = await import("@aws-sdk/client-s3");
    try {
      const { Body, ETag, VersionId } = await client.send(
        new GetObjectCommand({
          Bucket: name,
          Key: key,
          ...(versionId !== undefined && { VersionId: versionId }),
        }),
      );
      return {
        text: (await Body?.transformToString()) ?? "",
        etag: etagOf(ETag),
        ...(VersionId !== undefined && VersionId !== "null" && { versionId: VersionId }),
      };
    } catch (error) {
      if (errorNameOf(error) === "NoSuchKey") return undefined;
      const permission = versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
      throw failed("Reading from", permission, error);
    }
  };
  const put = async (key: string, text: string, condition: object = {}) => {
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    const { ETag } = await client.send(
      new PutObjectCommand({
        Bucket: name,
        Key: key,
        Body: text,
        ContentType: "application/json",
        ...condition,
      }),
    );
    etagOf(ETag);
  };
  return {
    name,
    readPointer: async (versionId): Promise<StoredPointer | undefined> => {
      const stored = await read(POINTER_KEY, versionId);
      if (stored === undefined) return undefined;
      const { text, ...version } = stored;
      return { pointer: parsePointer(text), ...version };
    },
    listPointerVersions: async function* (): AsyncIterable<PointerVersion> {
      const { ListObjectVersionsCommand } = await import("@aws-sdk/client-s3");
      let at: { KeyMarker?: string; VersionIdMarker?: string } = {};
      for (;;) {
        const page = await client
          .send(new ListObjectVersionsCommand({ Bucket: name, Prefix: POINTER_KEY, ...at }))
          .catch((error: unknown) => {
            throw failed("Listing versions in", "s3:ListBucketVersions", error);
          });
        for (const { Key, VersionId = "", IsLatest = false } of page.Versions ?? []) {
          if (Key === POINTER_KEY) yield { versionId: VersionId, isLatest: IsLatest };
        }
        if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
        at = {
          KeyMarker: page.NextKeyMarker,
          ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
        };
      }
    },
    readPart: async (hash) => (await read(keyOfPart(hash)))?.text,
    putPart: async (hash, text) => {
      await put(keyOfPart(hash), text).catch((error: unknown) => {
        throw failed("Writing to", "s3:PutObject", error);
      });
    },
    putPointer: async (text, expected) => {
      try {
        await put(POINTER_KEY, text, expected === undefined ? { IfNoneMatch: "*" } : { IfMatch: expected });
        return true;
      } catch (error) {
        // 412: the pointer is another one. 409: another publication is replacing it at this moment. NoSuchKey: it is gone.
        if (LOST_RACE.has(errorNameOf(error))) return false;
        throw failed("Writing to", "s3:PutObject", error);
      }
    },
  };
}

/** S3 sends an ETag with every object. A proxy that answers in its place has stored nothing, whatever its status. */
function etagOf(etag: string | undefined): string {
  if (etag === undefined) throw new NotFromS3();
  return etag;
}

/** Only its name is used. */
class NotFromS3 extends Error {
  override readonly name = "ResponseWithoutETag";
}

const LOST_RACE: ReadonlySet<string> = new Set([
  "PreconditionFailed",
  "ConditionalRequestConflict",
  "NoSuchKey",
]);

type BucketPermission = "s3:GetObject" | "s3:GetObjectVersion" | "s3:ListBucketVersions" | "s3:PutObject";

/** The caller lacks a permission on the bucket. */
export class BucketForbidden extends CommandError {
  readonly code = "BUCKET_FORBIDDEN";
  constructor(bucket: string, permission: BucketPermission) {
    super(`You lack the permission ${permission} on bucket ${bucket}. ${ADVICE[permission]}`);
  }
}

const ADVICE: Readonly<Record<BucketPermission, string>> = {
  "s3:PutObject": "Publishers are named in the stack's parameter PublisherArns.",
  // Without s3:ListBucket, S3 answers the same for an object that does not exist.
  "s3:GetObject": "Ask for it, and for s3:ListBucket; or name a file: --bindings FILE.",
  "s3:GetObjectVersion": "Ask for it.",
  "s3:ListBucketVersions": "Ask for it.",
};

/** The stack has a bucket by its outputs, and S3 does not have it. */
export class BucketNotFound extends CommandError {
  readonly code = "BUCKET_NOT_FOUND";
  constructor(bucket: string) {
    super(`The bucket ${bucket} of the stack does not exist. Deploy the stack again: sam deploy.`);
  }
}
