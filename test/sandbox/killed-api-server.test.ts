import { describe } from "vitest";
import { describeKilledApiServerContract } from "../contract/killed-api-server-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeKilledApiServerContract(startSandboxBackend));
