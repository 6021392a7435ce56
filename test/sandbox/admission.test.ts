import { describe } from "vitest";
import { describeAdmissionContract } from "../contract/admission-contract.ts";
import { raiseInSandbox } from "../harness/sandbox-admission.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe("on the sandbox", () => describeAdmissionContract(startSandboxBackend, raiseInSandbox));
