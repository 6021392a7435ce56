import { afterAll, beforeAll } from "vitest";
import type { KubernetesBackend } from "../harness/backend.ts";
import type { Clock } from "../harness/clock.ts";
import { kubernetesCall } from "../harness/kubernetes-request.ts";
import { describeApply } from "./kubernetes/apply.ts";
import { describeCallers } from "./kubernetes/callers.ts";
import { describeEvents } from "./kubernetes/events.ts";
import { describeFence } from "./kubernetes/fence.ts";
import { type ContractContext, NAMESPACE } from "./kubernetes/fixtures.ts";
import { describeImmutable } from "./kubernetes/immutable.ts";
import { describeKubectlNeeds } from "./kubernetes/kubectl.ts";
import { describeOtherWriters } from "./kubernetes/other-writers.ts";
import { describeOwnership } from "./kubernetes/ownership.ts";
import { describeReading } from "./kubernetes/reading.ts";
import { describeRefusedApply } from "./kubernetes/refused-apply.ts";
import { describeWholeWrites } from "./kubernetes/whole-writes.ts";
import { describeWorkloads } from "./kubernetes/workloads.ts";

/** What the relay may rely on in an API server. The same claims hold for the sandbox and for a real one. */
export function describeKubernetesContract(start: () => Promise<KubernetesBackend>, clock: Clock): void {
  let backend: KubernetesBackend;
  let api: ReturnType<typeof kubernetesCall>;

  beforeAll(async () => {
    backend = await start();
    api = kubernetesCall(backend);
    await api("/api/v1/namespaces", {
      method: "POST",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    });
  });
  afterAll(async () => {
    api?.close();
    await backend?.stop();
  });

  const context: ContractContext = {
    backend: () => backend,
    clock,
    call: (path, options) => api(path, options),
  };
  describeApply(context);
  describeFence(context);
  describeRefusedApply(context);
  describeImmutable(context);
  describeOtherWriters(context);
  describeWholeWrites(context);
  describeOwnership(context);
  describeReading(context);
  describeWorkloads(context);
  describeEvents(context);
  describeKubectlNeeds(context);
  describeCallers(context);
}
