import { describe } from "vitest";
import { startSandboxBackend } from "../sandbox/start-backend.ts";
import { describeLeakContract } from "./leak-contract.ts";

describe("in the sandbox", () => describeLeakContract(startSandboxBackend));
