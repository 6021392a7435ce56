import pMap from "p-map";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { Session } from "../live/open-session.ts";

export type LastError = {
  readonly at: string;
  readonly message: string;
  readonly from: "Kubernetes Event";
};

/** The last error of a target, by `cluster/namespace/name`. */
export type LastErrors = ReadonlyMap<string, LastError>;

type Namespace = Pick<TargetRef, "cluster" | "namespace">;

/**
 * The last warning of the relay about each target, from its Kubernetes Events. The relay posts Events for bindings with
 * `events: true`, and the API server keeps them for an hour. Without permission to list Events the result is empty.
 */
export async function findLastErrors(
  session: Pick<Session, "connect" | "targetsAtOnce">,
  namespaces: readonly Namespace[],
  budget: TimeBudget,
): Promise<LastErrors> {
  const distinct = [
    ...new Map(namespaces.map((each) => [`${each.cluster}/${each.namespace}`, each])).values(),
  ];
  const found = await pMap(distinct, (each) => listWarnings(session, each, budget), {
    concurrency: session.targetsAtOnce,
  });
  const latest = new Map<string, LastError>();
  for (const { key, error } of found.flat()) {
    if ((latest.get(key)?.at ?? "") < error.at) latest.set(key, error);
  }
  return latest;
}

async function listWarnings(
  session: Pick<Session, "connect">,
  { cluster, namespace }: Namespace,
  budget: TimeBudget,
): Promise<{ key: string; error: LastError }[]> {
  try {
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const query = { fieldSelector: "type=Warning", limit: "500" };
    const list = await session.connect(cluster).callObject({ method: "GET", path, query }, budget);
    const { items } = (list ?? {}) as { items?: unknown };
    if (!Array.isArray(items)) return [];
    return items.flatMap((event: KubernetesEvent) => {
      const { reportingController, regarding, eventTime, note = "" } = event;
      const isOurs = reportingController === "secret-relay" && regarding?.kind === "Secret";
      if (!isOurs || typeof eventTime !== "string") return [];
      const error: LastError = {
        at: new Date(eventTime).toISOString(),
        message: note,
        from: "Kubernetes Event",
      };
      return { key: `${cluster}/${namespace}/${regarding.name}`, error };
    });
  } catch (error) {
    if (error instanceof RelayError) return [];
    throw error;
  }
}

type KubernetesEvent = {
  readonly reportingController?: unknown;
  readonly regarding?: { readonly kind?: unknown; readonly name?: unknown };
  readonly eventTime?: unknown;
  readonly note?: string;
};
