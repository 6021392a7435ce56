import { describe } from "vitest";
import { startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { describeKubernetesContract } from "../contract/kubernetes-contract.ts";
import { sandboxClock } from "../harness/clock.ts";
import { testCredentialsOf } from "../harness/test-credentials.ts";

describe("the Kubernetes sandbox keeps the contract", () => {
  const clock = sandboxClock();
  const start = () =>
    startKubernetesSandbox({
      clusterName: "relay-test",
      region: "eu-west-1",
      credentialsOf: testCredentialsOf,
      now: () => new Date(clock.now()),
    });
  describeKubernetesContract(start, clock);
});
