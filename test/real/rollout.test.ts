import { describe } from "vitest";
import { describeRolloutContract } from "../contract/rollout-contract.ts";
import { startWithRollouts } from "./start-with-rollouts.ts";

describe("on real servers", () => describeRolloutContract(startWithRollouts));
