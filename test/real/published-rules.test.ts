import { describe } from "vitest";
import { describePublishedRulesContract } from "../contract/published-rules-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("published bindings on real servers", { timeout: 180_000 }, () => {
  describePublishedRulesContract(startRealBackend, 30);
});
