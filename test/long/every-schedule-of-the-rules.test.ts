import { describe } from "vitest";
import { describePublishedRulesContract } from "../contract/published-rules-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

// About a minute.
describe("published bindings, in every schedule", { timeout: 600_000 }, () => {
  describePublishedRulesContract(startSandboxBackend, "every schedule");
});
