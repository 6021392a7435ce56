import { describe } from "vitest";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { describeTriggerRbacContract } from "../contract/trigger-rbac-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () =>
  describeTriggerRbacContract(() => startSandboxBackend({ resources: externalSecretsResources("v1") })));
