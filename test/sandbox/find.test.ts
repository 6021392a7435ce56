import { describe } from "vitest";
import { describeFindContract } from "../contract/find-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeFindContract(startSandboxBackend));
