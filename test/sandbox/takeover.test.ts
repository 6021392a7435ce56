import { describe } from "vitest";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { describeDocumentedTakeover } from "../contract/documented-takeover-contract.ts";
import { describeTakeoverContract } from "../contract/takeover-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe.each(["v1", "v1beta1"] as const)("on the sandbox, with ExternalSecrets %s", (version) =>
  describeTakeoverContract(version, () =>
    startSandboxBackend({ resources: externalSecretsResources(version) }),
  ),
);

describe("on the sandbox, by the commands of the page", () =>
  describeDocumentedTakeover("v1", () => startSandboxBackend({ resources: externalSecretsResources("v1") }), {
    secrets: 5,
    seed: 1,
  }));
