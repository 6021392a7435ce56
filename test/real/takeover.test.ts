import { describe } from "vitest";
import { describeDocumentedTakeover } from "../contract/documented-takeover-contract.ts";
import { describeTakeoverContract } from "../contract/takeover-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { installExternalSecrets } from "./external-secrets/install.ts";

describe.each(["v1", "v1beta1"] as const)("on real servers, with ESO's definitions of %s", (version) =>
  describeTakeoverContract(version, async () => {
    const backend = await startRealBackend();
    await installExternalSecrets(backend, version);
    return backend;
  }),
);

describe("on real servers, by the commands of the page", () =>
  describeDocumentedTakeover(
    "v1",
    async () => {
      const backend = await startRealBackend();
      await installExternalSecrets(backend, "v1");
      return backend;
    },
    { secrets: 200, seed: 1 },
  ));
