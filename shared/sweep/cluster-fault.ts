/** The codes that say something about a whole cluster, and not about one of its Secrets. */
export function isKnownClusterFault(code: string): boolean {
  return CLUSTER_FAULTS.has(code);
}

const CLUSTER_FAULTS: ReadonlySet<string> = new Set([
  "CLUSTER_LISTED_TWICE",
  "CLUSTER_LOOKUP_FAILED",
  "CLUSTER_LOOKUP_FORBIDDEN",
  "CLUSTER_NOT_FOUND",
  "CLUSTER_REJECTED",
  "CLUSTER_THROTTLED",
  "CLUSTER_TOKEN_REFUSED",
  "CLUSTER_UNAVAILABLE",
  "CLUSTER_UNTRUSTED",
  "CREDENTIALS_UNAVAILABLE",
  "EKS_TOKEN_TOO_LARGE",
  "ROLE_NOT_ASSUMED",
]);
