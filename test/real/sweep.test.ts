import { describe } from "vitest";
import { describeSweepContract } from "../contract/sweep-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeSweepContract(startRealBackend));
