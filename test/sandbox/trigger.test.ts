import { describe } from "vitest";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { describeTriggerContract } from "../contract/trigger-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe.each(["v1", "v1beta1"] as const)("on the sandbox, with ExternalSecrets %s", (version) =>
  describeTriggerContract(version, () =>
    startSandboxBackend({ resources: externalSecretsResources(version) }),
  ),
);
