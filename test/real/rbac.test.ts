import { describe } from "vitest";
import { describeRbacContract } from "../contract/rbac-contract.ts";
import { startWithRollouts } from "./start-with-rollouts.ts";

describe("on real servers", () => describeRbacContract(startWithRollouts));
