import { describe } from "vitest";
import { describeSourcesContract } from "../contract/sources-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeSourcesContract(startSandboxBackend));
