import { describe } from "vitest";
import { describeRenderingContract } from "../contract/rendering-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeRenderingContract(startRealBackend));
