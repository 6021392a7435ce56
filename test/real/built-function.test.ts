import { describe } from "vitest";
import { describeBuiltFunction } from "../rotation/built-function-contract.ts";
import { startRealBackend } from "./start-backend.ts";

describe("the built rotation function, on real servers,", () => describeBuiltFunction(startRealBackend));
