import { describe } from "vitest";
import { customResource } from "../../sandbox/kubernetes/resources.ts";
import { describeRestartContract } from "../contract/restart-contract.ts";
import { startSandboxBackend } from "./start-backend.ts";

const rollouts = customResource({
  group: "argoproj.io",
  version: "v1alpha1",
  resource: "rollouts",
  singular: "rollout",
  kind: "Rollout",
});

describe("on the sandbox", () =>
  describeRestartContract(() => startSandboxBackend({ resources: [rollouts] })));
