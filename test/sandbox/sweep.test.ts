import { describe } from "vitest";
import { describeSweepContract } from "../contract/sweep-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeSweepContract(startSandboxBackend));
