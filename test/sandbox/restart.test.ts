import { describe } from "vitest";
import { describeRestartContract } from "../contract/restart-contract.ts";
import { rollouts } from "./rollouts.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () =>
  describeRestartContract(() => startSandboxBackend({ resources: [rollouts] })));
