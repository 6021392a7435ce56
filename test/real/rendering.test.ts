import { describe } from "vitest";
import { describeRenderingContract } from "../contract/rendering-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("on real servers", () => describeRenderingContract(startRealBackend));
