// apimachinery, pkg/util/validation: IsConfigMapKey. Kubernetes also accepts `__proto__`, but client-node copies maps by
// assignment and silently loses that key, so it is refused.
export function isDataKey(key: string): boolean {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== "." && !key.startsWith("..") && key !== "__proto__";
}
