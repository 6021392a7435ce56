import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { describe } from "vitest";
import { describeS3Contract, s3ClientOf } from "../contract/s3-contract.ts";
import { startMoto } from "./aws/start.ts";

describe("moto answers as S3", () => {
  describeS3Contract({
    name: "real",
    start: startMoto,
    async addBucket(backend, Bucket, { versioned }) {
      const s3 = s3ClientOf(backend);
      const LocationConstraint = backend.region as "eu-west-1";
      await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }));
      if (versioned) {
        const VersioningConfiguration = { Status: "Enabled" } as const;
        await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
      }
      s3.destroy();
    },
  });
});
