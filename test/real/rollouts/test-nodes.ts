import { must } from "../../harness/fleet.ts";
import type { KubernetesCall } from "../../harness/kubernetes-request.ts";

export type PodState = "ready" | "crashing";

/** Two nodes, whose scheduler and kubelets the test plays: no pod goes further than a test lets it. */
export type TestNodes = {
  /**
   * Takes each pod of a namespace one step further: to a node, to this state, or away if it is being deleted. Returns the
   * number of pods that changed.
   */
  step(namespace: string, state: PodState): Promise<number>;
};

export async function startTestNodes(admin: KubernetesCall): Promise<TestNodes> {
  for (const name of NODES) {
    const body = { apiVersion: "v1", kind: "Node", metadata: { name } };
    await must(admin, "/api/v1/nodes", { method: "POST", body });
    // The API server taints a new node as not ready, and no pod of a DaemonSet tolerates that.
    await must(admin, `/api/v1/nodes/${name}`, { ...MERGE_PATCH, body: { spec: { taints: null } } });
  }
  return {
    step: async (namespace, state) => {
      const { body } = await admin(`/api/v1/namespaces/${namespace}/pods`);
      const stepped = await Promise.all((body.items as Pod[]).map((pod) => stepPod(admin, pod, state)));
      return stepped.filter(Boolean).length;
    },
  };
}

const NODES = ["node-1", "node-2"] as const;
const MERGE_PATCH = { method: "PATCH", contentType: "application/merge-patch+json" };

type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly [{ readonly name: string }];
    // biome-ignore lint/suspicious/noExplicitAny: one value, deep inside
    readonly affinity?: any;
  };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

async function stepPod(admin: KubernetesCall, pod: Pod, state: PodState): Promise<boolean> {
  const { name, namespace, deletionTimestamp } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  if (deletionTimestamp !== undefined) {
    await admin(path, { method: "DELETE", body: { gracePeriodSeconds: 0 } });
    return true;
  }
  if (pod.spec.nodeName === undefined) {
    const target = { apiVersion: "v1", kind: "Node", name: nodeOf(pod) };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name }, target };
    return (await admin(`${path}/binding`, { method: "POST", body })).status === 201;
  }
  const isReady = pod.status.conditions?.find(({ type }) => type === "Ready")?.status;
  if (isReady === (state === "ready" ? "True" : "False")) return false;
  const body = { status: statusOf(pod, state) };
  return (await admin(`${path}/status`, { ...MERGE_PATCH, body })).status === 200;
}

/** The DaemonSet controller names the node of a pod; any other pod may be anywhere. */
function nodeOf({ spec: { affinity } }: Pod): string {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.[0]?.values?.[0] ?? NODES[0];
}

function statusOf({ spec }: Pod, state: PodState): object {
  const isReady = state === "ready";
  const at = new Date().toISOString();
  const container = {
    name: spec.containers[0].name,
    image: "example.com/main:1",
    imageID: "",
    ready: isReady,
    restartCount: isReady ? 0 : 5,
    state: isReady ? { running: { startedAt: at } } : { waiting: { reason: "CrashLoopBackOff" } },
  };
  const condition = { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: at };
  return { phase: "Running", startTime: at, conditions: [condition], containerStatuses: [container] };
}
