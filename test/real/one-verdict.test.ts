import { describe } from "vitest";
import { describeOneVerdictContract } from "../contract/one-verdict-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeOneVerdictContract(startRealBackend));
