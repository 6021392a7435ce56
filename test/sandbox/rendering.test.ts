import { describe } from "vitest";
import { describeRenderingContract } from "../contract/rendering-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeRenderingContract(startSandboxBackend));
