import { afterAll, beforeAll, describe, vi } from "vitest";
import { describePublishContract } from "../contract/publish-contract.ts";
import type { AwsBackend } from "../harness/backend.ts";
import { addMotoBucket } from "./aws/add-bucket.ts";
import { startMoto } from "./aws/start.ts";

describe("bindings are published to moto", () => {
  let moto: AwsBackend;
  beforeAll(async () => {
    moto = await startMoto();
    for (const [name, value] of Object.entries(moto.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await moto?.stop();
  });
  describePublishContract({ backend: () => moto, addBucket: addMotoBucket });
});
