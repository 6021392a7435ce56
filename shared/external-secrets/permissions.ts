import { GROUP } from "./eso-api-paths.ts";

/** One rule of a Role or ClusterRole. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/** The rules of trigger mode for a namespace, or for all in a ClusterRole. They never include Secrets. */
export const TRIGGER_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["externalsecrets", "pushsecrets"], verbs: ["get", "list", "patch"] },
  { apiGroups: [GROUP], resources: ["secretstores"], verbs: ["get"] },
];

/** The rules for cluster-scoped stores and ExternalSecrets, in a ClusterRole. */
export const TRIGGER_CLUSTER_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["clustersecretstores"], verbs: ["get"] },
  { apiGroups: [GROUP], resources: ["clusterexternalsecrets"], verbs: ["get", "patch"] },
];

export type TriggerPermissions = {
  /** Namespace -> the rules of its Role; empty if the ClusterRole covers all namespaces. */
  readonly roles: Readonly<Record<string, readonly PolicyRule[]>>;
  readonly clusterRole: readonly PolicyRule[];
};

/** The permissions for one cluster, from `externalSecrets` of its entry in the bindings. */
export function triggerPermissions({
  namespaces,
}: {
  readonly namespaces: "all" | readonly string[];
}): TriggerPermissions {
  if (namespaces === "all") return { roles: {}, clusterRole: [...TRIGGER_RULES, ...TRIGGER_CLUSTER_RULES] };
  return {
    roles: Object.fromEntries(namespaces.map((namespace) => [namespace, TRIGGER_RULES])),
    clusterRole: TRIGGER_CLUSTER_RULES,
  };
}
