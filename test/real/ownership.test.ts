import { describe } from "vitest";
import { describeOwnershipContract } from "../contract/ownership-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeOwnershipContract(startRealBackend));
