import { type Fields, fieldsOf, type KubernetesObject } from "./object.ts";
import type { Store } from "./store.ts";
import { countOf } from "./workloads.ts";

/** Simulates the controllers of apps/v1 without pods: every change is rolled out immediately. */
export function startRollouts(store: Store): () => void {
  return store.watch(store.revision, ({ type, resource, object }) => {
    if (resource.group !== "apps" || type === "DELETED") return;
    const { namespace, name = "" } = object.metadata;
    // After this write has been announced: watchers must see the second one later.
    queueMicrotask(() => {
      const live = store.find(resource, namespace, name);
      const { generation } = live?.metadata ?? {};
      if (!live || fieldsOf(live.status).observedGeneration === generation) return;
      store.put(resource, { ...live, status: rolledOut(live) });
    });
  });
}

function rolledOut({ kind, metadata, spec }: KubernetesObject): Fields {
  const observedGeneration = metadata.generation;
  if (kind === "DaemonSet") {
    const fields = ["desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled"];
    const all = [...fields, "numberReady", "numberAvailable"].map((field) => [field, 1]);
    return { observedGeneration, ...Object.fromEntries(all) };
  }
  const replicas = countOf(spec, "replicas");
  const revision = `${metadata.name}-${metadata.generation}`;
  return {
    observedGeneration,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    ...(kind === "StatefulSet" && { currentRevision: revision, updateRevision: revision }),
  };
}
