import { describe } from "vitest";
import type { AwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { describePublishContract } from "../contract/publish-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";

describe("bindings are published to the sandbox", () => {
  const used = useBackend(startSandboxBackend);
  describePublishContract({
    backend: () => used.backend.aws,
    addBucket: async (aws, name, options) => (aws as AwsSandbox).addBucket(name, options),
  });
});
