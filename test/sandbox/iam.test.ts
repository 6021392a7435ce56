import { describe } from "vitest";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import { describeIamContract } from "../contract/iam-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () =>
  describeIamContract(() => startSandboxBackend({ resources: externalSecretsResources("v1") })));
