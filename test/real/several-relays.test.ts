import { describe } from "vitest";
import { describeSeveralRelaysContract } from "../contract/several-relays-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeSeveralRelaysContract(startRealBackend));
