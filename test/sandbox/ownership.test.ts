import { describe } from "vitest";
import { describeOwnershipContract } from "../contract/ownership-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeOwnershipContract(startSandboxBackend));
