// apimachinery, pkg/util/validation: IsConfigMapKey. Kubernetes would also take `__proto__`, but client-node copies
// maps by assignment and loses that key: better refused than silently not written.
export function isDataKey(key: string): boolean {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== "." && !key.startsWith("..") && key !== "__proto__";
}
