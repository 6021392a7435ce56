import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { AwsSandbox } from "../../../sandbox/aws/start-aws-sandbox.ts";
import { startMoto } from "../../real/aws/start.ts";
import type { Sessions } from "./sessions.ts";
import { EXPIRED, type Store } from "./store.ts";

/** S3 of moto, through a socket. It accepts every signature, so ended credentials are refused here. */
export async function startMotoStore(aws: AwsSandbox, sessions: Sessions): Promise<Store> {
  const moto = await startMoto();
  const endpoint = moto.env.AWS_ENDPOINT_URL_S3 ?? "";
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = moto.env;
  const { region } = aws;
  const s3 = new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return {
    host: {
      kind: "s3",
      name: "s3",
      at: new URL(endpoint).host,
      downUntil: 0,
      serve: async (request, send) => (sessions.refusalOf(request) === undefined ? send() : EXPIRED),
    },
    env: { AWS_ENDPOINT_URL_S3: endpoint },
    addBucket: async (Bucket) => {
      const LocationConstraint = region as "eu-west-1";
      await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }));
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    },
    emptyBucket: async (Bucket) => {
      for (;;) {
        const { Versions = [], DeleteMarkers = [] } = await s3.send(
          new ListObjectVersionsCommand({ Bucket }),
        );
        const all = [...Versions, ...DeleteMarkers];
        if (all.length === 0) return;
        for (const { Key, VersionId } of all)
          await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      }
    },
    stop: async () => {
      s3.destroy();
      await moto.stop();
    },
  };
}
