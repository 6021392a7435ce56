import { describe } from "vitest";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { describeLeakContract } from "../hygiene/leak-contract.ts";

describe("on real servers", () => describeLeakContract(startRealBackend));
