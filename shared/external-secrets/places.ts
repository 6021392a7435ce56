/** Where ESO's objects are. PushSecrets have one version, the others two; which ones are served is asked. */
export const GROUP = "external-secrets.io";

export type ServedVersion = "v1" | "v1beta1";

export const PUSH_SECRET_VERSION = "v1alpha1";

export type Resource =
  | "externalsecrets"
  | "pushsecrets"
  | "secretstores"
  | "clustersecretstores"
  | "clusterexternalsecrets";

/** Without a namespace: of all namespaces, or of the cluster itself. Without a name: a list. */
export function pathOf(
  version: string,
  resource: Resource,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string | undefined } = {},
): string {
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${GROUP}/${version}${within}/${resource}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
