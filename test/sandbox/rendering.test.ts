import { describe } from "vitest";
import { describeRenderingContract } from "../contract/rendering-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeRenderingContract(startSandboxBackend));
