import { describe } from "vitest";
import { externalSecretsResources } from "../../sandbox/kubernetes/resources.ts";
import {
  describeServedVersion,
  describeWithoutExternalSecrets,
} from "../contract/served-versions-contract.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";

describe.each(["v1", "v1beta1"] as const)(
  "on the sandbox, which serves ExternalSecrets only as %s",
  (version) =>
    describeServedVersion(version, () =>
      startSandboxBackend({ resources: externalSecretsResources(version) }),
    ),
);

describe("on the sandbox", () => describeWithoutExternalSecrets(() => startSandboxBackend()));
