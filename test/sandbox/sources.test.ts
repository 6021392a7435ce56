import { describe } from "vitest";
import { describeSourcesContract } from "../contract/sources-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeSourcesContract(startSandboxBackend));
