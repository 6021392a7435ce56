import { describe } from "vitest";
import { describeFenceContract } from "../contract/fence-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

// Some hundred schedules a scene.
describe("on real servers", { timeout: 180_000 }, () => describeFenceContract(startRealBackend, 40));
