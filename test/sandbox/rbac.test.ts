import { describe } from "vitest";
import { describeRbacContract } from "../contract/rbac-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { rollouts } from "./rollouts.ts";

describe("on the sandbox", () => describeRbacContract(() => startSandboxBackend({ resources: [rollouts] })));
