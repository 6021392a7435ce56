import { describe } from "vitest";
import { describeSeveralRelaysContract } from "../contract/several-relays-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeSeveralRelaysContract(startSandboxBackend));
