/**
 * A name from the cluster, safe to print in logs, reports and advice: any client with permission to write a Secret
 * chooses its annotations (up to 256 KiB), its type and its owners. Other strings become `unreadable`.
 */
export function sanitizeName(text: string, lengthMax = KUBERNETES_NAME_MAX): string {
  return text.length <= lengthMax && /^[\x21-\x7e]+$/.test(text) ? text : "unreadable";
}

const KUBERNETES_NAME_MAX = 253;
