import { describe } from "vitest";
import { describeOneVerdictContract } from "../contract/one-verdict-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeOneVerdictContract(startSandboxBackend));
