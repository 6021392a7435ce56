import { describe } from "vitest";
import { describeSourcesContract } from "../contract/sources-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeSourcesContract(startRealBackend));
