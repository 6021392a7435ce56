import { describe } from "vitest";
import { describeOneVerdictContract } from "../contract/one-verdict-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeOneVerdictContract(startSandboxBackend));
