import { describe } from "vitest";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { describeBuiltFunction } from "./built-function-contract.ts";

describe("the built rotation function, in the sandbox,", () => describeBuiltFunction(startSandboxBackend));
