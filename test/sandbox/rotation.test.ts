import { describe } from "vitest";
import { describeRotationContract } from "../contract/rotation-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeRotationContract(startSandboxBackend));
