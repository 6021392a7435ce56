import { describe } from "vitest";
import { startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { describeKubernetesContract } from "../contract/kubernetes-contract.ts";
import { testCredentialsOf } from "../harness/test-credentials.ts";

describe("the Kubernetes sandbox keeps the contract", () => {
  describeKubernetesContract(() =>
    startKubernetesSandbox({
      clusterName: "relay-test",
      region: "eu-west-1",
      credentialsOf: testCredentialsOf,
    }),
  );
});
