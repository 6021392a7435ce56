import { describe } from "vitest";
import { describeOwnershipContract } from "../contract/ownership-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("on real servers", () => describeOwnershipContract(startRealBackend));
