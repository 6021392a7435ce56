import pMap from "p-map";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";

export type LastError = {
  readonly at: string;
  readonly message: string;
  /** Where it was found. */
  readonly from: "Kubernetes Event";
};

/** The last error of a target, by `cluster/namespace/name`. */
export type LastErrors = ReadonlyMap<string, LastError>;

type Place = Pick<TargetRef, "cluster" | "namespace">;

/**
 * The last warning of the relay about each target, from its Kubernetes Events: it posts them where a binding has
 * `events: true`, and the API server keeps them for an hour. A caller that may not list Events sees none.
 */
export async function findLastErrors(
  live: Pick<Live, "connect" | "targetsAtOnce">,
  places: readonly Place[],
  budget: TimeBudget,
): Promise<LastErrors> {
  const distinct = [
    ...new Map(places.map((place) => [`${place.cluster}/${place.namespace}`, place])).values(),
  ];
  const found = await pMap(distinct, (place) => listWarnings(live, place, budget), {
    concurrency: live.targetsAtOnce,
  });
  const latest = new Map<string, LastError>();
  for (const { key, error } of found.flat()) {
    if ((latest.get(key)?.at ?? "") < error.at) latest.set(key, error);
  }
  return latest;
}

async function listWarnings(
  live: Pick<Live, "connect">,
  { cluster, namespace }: Place,
  budget: TimeBudget,
): Promise<{ key: string; error: LastError }[]> {
  try {
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const query = { fieldSelector: "type=Warning", limit: "500" };
    const list = await live.connect(cluster).callObject({ method: "GET", path, query }, budget);
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
