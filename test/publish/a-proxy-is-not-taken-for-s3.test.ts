import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { classifyAwsError } from "../../cli/live/classify-aws-error.ts";
import { s3Bucket } from "../../cli/publish/s3-bucket.ts";

// A proxy may answer a request for S3 with a page of its own and status 200. Nothing is stored then.

let proxy: Server;
let client: S3Client;
beforeAll(async () => {
  proxy = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Welcome</body></html>");
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  client = new S3Client({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: "AKIASANDBOXSANDBOX00", secretAccessKey: "not-a-secret" },
  });
});
afterAll(() => {
  client.destroy();
  proxy.close();
});

const settings = { profile: undefined, region: "eu-west-1", hasProxy: false };
const bucketOfProxy = () =>
  s3Bucket(client, "bindings", (what, error) => classifyAwsError(what, error, settings));

it.each([
  { what: "a part that it has not stored", ask: () => bucketOfProxy().putPart("00".repeat(16), "{}") },
  { what: "a pointer that it has not stored", ask: () => bucketOfProxy().putPointer("{}", undefined) },
  { what: "a pointer", ask: () => bucketOfProxy().readPointer() },
  { what: "a part", ask: () => bucketOfProxy().readPart("00".repeat(16)) },
])("the page of a proxy is not taken for $what", async ({ ask }) => {
  await expect(ask()).rejects.toThrow("ResponseWithoutETag");
});
