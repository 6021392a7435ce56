import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../harness/backend.ts";
import { kubernetesCall } from "../harness/kubernetes-request.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

/** With the custom resource of Argo Rollouts, as far as a restart needs it. */
export async function startWithRollouts(): Promise<Backend> {
  const backend = await startRealBackend();
  const admin = kubernetesCall(backend.kubernetes);
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const { status, body } = await admin("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    method: "POST",
    body: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "rollouts.argoproj.io" },
      spec: {
        group: "argoproj.io",
        scope: "Namespaced",
        names: { plural: "rollouts", singular: "rollout", kind: "Rollout" },
        versions: [
          {
            name: "v1alpha1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: { status: {} },
          },
        ],
      },
    },
  });
  if (status !== 201) throw new Error(`The Rollouts could not be defined: ${status} ${body?.message}`);
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await admin("/apis/argoproj.io/v1alpha1/rollouts")).status === 200) break;
    await sleep(100);
  }
  admin.close();
  return backend;
}
