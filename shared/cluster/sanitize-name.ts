/**
 * A name from the cluster as it may stand in a log line, a report and an advice. Whoever may write a Secret writes its
 * annotations (up to 256 KiB), its type and its owners as they please: what is no name is told as `unreadable`.
 */
export function sanitizeName(text: string, lengthMax = NAME_MAX): string {
  return text.length <= lengthMax && /^[\x21-\x7e]+$/.test(text) ? text : "unreadable";
}

/** Of objects in Kubernetes. */
const NAME_MAX = 253;
