import { describe } from "vitest";
import { describeIamContract } from "../contract/iam-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { installExternalSecrets } from "./external-secrets/install.ts";

describe("on real servers", () =>
  describeIamContract(async () => {
    const backend = await startRealBackend();
    await installExternalSecrets(backend, "v1");
    return backend;
  }));
