import { GROUP } from "./places.ts";

/** One rule of a Role or ClusterRole. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/**
 * What trigger mode needs in a namespace, or in all of them by a ClusterRole. No Secret is in it: annotations and
 * status of ESO's own objects are all that is read, and one annotation is all that is written.
 */
export const TRIGGER_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["externalsecrets", "pushsecrets"], verbs: ["get", "list", "patch"] },
  { apiGroups: [GROUP], resources: ["secretstores"], verbs: ["get"] },
];

/** What it needs of the cluster besides, for stores and ExternalSecrets that belong to no namespace: a ClusterRole. */
export const TRIGGER_CLUSTER_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["clustersecretstores"], verbs: ["get"] },
  { apiGroups: [GROUP], resources: ["clusterexternalsecrets"], verbs: ["get", "patch"] },
];

export type TriggerRights = {
  /** Namespace -> the rules of a Role there; empty when the ClusterRole holds for all namespaces. */
  readonly roles: Readonly<Record<string, readonly PolicyRule[]>>;
  readonly clusterRole: readonly PolicyRule[];
};

/** The rights of one cluster, by the `externalSecrets` of its entry in the bindings. */
export function triggerRights({
  namespaces,
}: {
  readonly namespaces: "all" | readonly string[];
}): TriggerRights {
  if (namespaces === "all") return { roles: {}, clusterRole: [...TRIGGER_RULES, ...TRIGGER_CLUSTER_RULES] };
  return {
    roles: Object.fromEntries(namespaces.map((namespace) => [namespace, TRIGGER_RULES])),
    clusterRole: TRIGGER_CLUSTER_RULES,
  };
}
