import { describe } from "vitest";
import { describeCommandLineContract } from "../contract/command-line-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeCommandLineContract(startSandboxBackend));
