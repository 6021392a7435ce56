import { describe } from "vitest";
import { describeRotationContract } from "../contract/rotation-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeRotationContract(startSandboxBackend));
