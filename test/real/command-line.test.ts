import { describe } from "vitest";
import { describeCommandLineContract } from "../contract/command-line-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("on real servers", () => describeCommandLineContract(startRealBackend));
