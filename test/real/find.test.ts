import { describe } from "vitest";
import { describeFindContract } from "../contract/find-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeFindContract(startRealBackend));
