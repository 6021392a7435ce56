import { describe } from "vitest";
import { describeRotationContract } from "../contract/rotation-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeRotationContract(startRealBackend));
