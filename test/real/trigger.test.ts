import { describe } from "vitest";
import { describeTriggerContract } from "../contract/trigger-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { installExternalSecrets } from "./external-secrets/install.ts";

describe.each(["v1", "v1beta1"] as const)("on real servers, with ESO's definitions of %s", (version) =>
  describeTriggerContract(version, async () => {
    const backend = await startRealBackend();
    await installExternalSecrets(backend, version);
    return backend;
  }),
);
