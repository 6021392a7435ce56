import { describe } from "vitest";
import { startRealBackend } from "../harness/start-real-backend.ts";
import { describeBuiltFunction } from "../rotation/built-function-contract.ts";

describe("the built rotation function, on real servers,", () => describeBuiltFunction(startRealBackend));
