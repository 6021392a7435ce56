/** The API group of ESO. PushSecrets have one version, other resources two; discovery finds the served version. */
export const GROUP = "external-secrets.io";

export type ServedVersion = "v1" | "v1beta1";

export const PUSH_SECRET_VERSION = "v1alpha1";

export type Resource =
  | "externalsecrets"
  | "pushsecrets"
  | "secretstores"
  | "clustersecretstores"
  | "clusterexternalsecrets";

/** Without a namespace: all namespaces, or cluster-scoped. Without a name: a list. */
export function pathOf(
  version: string,
  resource: Resource,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string | undefined } = {},
): string {
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${GROUP}/${version}${within}/${resource}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
