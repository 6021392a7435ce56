import { describe } from "vitest";
import { describeTriggerRbacContract } from "../contract/trigger-rbac-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { installExternalSecrets } from "./external-secrets/install.ts";

describe("on real servers", () =>
  describeTriggerRbacContract(async () => {
    const backend = await startRealBackend();
    await installExternalSecrets(backend, "v1");
    return backend;
  }));
