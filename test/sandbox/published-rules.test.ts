import { describe } from "vitest";
import { describePublishedRulesContract } from "../contract/published-rules-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("published bindings on the sandbox", () => {
  describePublishedRulesContract(startSandboxBackend, 30);
});
