import { describe } from "vitest";
import { describeCommandLineContract } from "../contract/command-line-contract.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

describe("on real servers", () => describeCommandLineContract(startRealBackend));
