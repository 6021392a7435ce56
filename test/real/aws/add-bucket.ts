import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { s3ClientOf } from "../../contract/s3-contract.ts";
import type { AwsBackend } from "../../harness/backend.ts";

export async function addMotoBucket(
  backend: AwsBackend,
  Bucket: string,
  { versioned }: { versioned: boolean },
): Promise<void> {
  const s3 = s3ClientOf(backend);
  const LocationConstraint = backend.region as "eu-west-1";
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }));
  if (versioned) {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  s3.destroy();
}
