import { describe } from "vitest";
import { describeRestartContract } from "../contract/restart-contract.ts";
import { startWithRollouts } from "./start-with-rollouts.ts";

describe("on real servers", () => describeRestartContract(startWithRollouts));
