import { describe } from "vitest";
import { describeFenceContract } from "../contract/fence-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

// Some of some hundred schedules a scene; test/long takes every one.
describe("on the sandbox", { timeout: 60_000 }, () => describeFenceContract(startSandboxBackend, 20));
