import { describe } from "vitest";
import { describeKilledApiServerContract } from "../contract/killed-api-server-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeKilledApiServerContract(startSandboxBackend));
