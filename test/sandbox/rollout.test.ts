import { describe } from "vitest";
import { describeRolloutContract } from "../contract/rollout-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { rollouts } from "./rollouts.ts";

describe("on the sandbox", () =>
  describeRolloutContract(() => startSandboxBackend({ resources: [rollouts] })));
