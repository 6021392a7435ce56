import { describe } from "vitest";
import { describeRestartContract } from "../contract/restart-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { rollouts } from "./rollouts.ts";

describe("on the sandbox", () =>
  describeRestartContract(() => startSandboxBackend({ resources: [rollouts] })));
