import { describe } from "vitest";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { describeLeakContract } from "./leak-contract.ts";

describe("in the sandbox", () => describeLeakContract(startSandboxBackend));
