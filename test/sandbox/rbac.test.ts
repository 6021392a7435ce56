import { describe } from "vitest";
import { describeRbacContract } from "../contract/rbac-contract.ts";
import { rollouts } from "./rollouts.ts";
import { startSandboxBackend } from "./start-backend.ts";

describe("on the sandbox", () => describeRbacContract(() => startSandboxBackend({ resources: [rollouts] })));
