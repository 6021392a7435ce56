import { describe } from "vitest";
import { describeLeakContract } from "../hygiene/leak-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("on real servers", () => describeLeakContract(startRealBackend));
