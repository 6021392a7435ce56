import { describe } from "vitest";
import { describeFenceContract } from "../contract/fence-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

// Some of several hundred schedules per scene; test/long plays all of them.
describe("on the sandbox", { timeout: 60_000 }, () => describeFenceContract(startSandboxBackend, 20));
