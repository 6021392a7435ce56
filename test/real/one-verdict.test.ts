import { describe } from "vitest";
import { describeOneVerdictContract } from "../contract/one-verdict-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("on real servers", () => describeOneVerdictContract(startRealBackend));
