import { describe } from "vitest";
import { describeFenceContract } from "../contract/fence-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

// Some hundred schedules per scene, about a minute in all.
describe("on the sandbox", { timeout: 180_000 }, () =>
  describeFenceContract(startSandboxBackend, "every schedule"),
);
