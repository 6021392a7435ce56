import { describe } from "vitest";
import { describeKilledApiServerContract } from "../contract/killed-api-server-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

// A new kube-apiserver takes some 5 s until it is ready, and there are five of them.
describe("on real servers", { timeout: 120_000 }, () => describeKilledApiServerContract(startRealBackend));
