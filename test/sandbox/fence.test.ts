import { describe } from "vitest";
import { describeFenceContract } from "../contract/fence-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

// Some hundred schedules a scene.
describe("on the sandbox", { timeout: 180_000 }, () =>
  describeFenceContract(startSandboxBackend, "every schedule"),
);
