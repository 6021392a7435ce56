import { describe } from "vitest";
import { describeCommandLineContract } from "../contract/command-line-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeCommandLineContract(startSandboxBackend));
