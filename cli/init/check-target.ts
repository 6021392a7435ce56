import type { Bind } from "./init-files.ts";

/** Why `namespace/name` cannot be the Secret of a source; undefined if it can. Pure. */
export function findTargetProblem(text: string, others: readonly Bind[]): string | undefined {
  const [namespace = "", name = "", ...rest] = text.trim().split("/");
  if (namespace === "" || name === "" || rest.length > 0) return "Enter namespace/name, such as shop/db.";
  const suggestion = `${toLabel(namespace)}/${toLabel(name)}`;
  const hint = suggestion === text.trim() || !isTarget(suggestion) ? "" : ` Did you mean ${suggestion}?`;
  if (!isNamespace(namespace)) {
    return `${namespace} is not the name of a namespace: use lower-case letters, digits and hyphens, 63 at most.${hint}`;
  }
  if (!isSecretName(name)) {
    return `${name} is not the name of a Secret: use lower-case letters, digits, hyphens and dots, 253 at most.${hint}`;
  }
  const other = others.find((bind) => bind.namespace === namespace && bind.name === name);
  return other === undefined
    ? undefined
    : `${text.trim()} is already the Secret of ${other.source}. Choose another name.`;
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const isNamespace = (text: string): boolean => new RegExp(`^${LABEL}$`).test(text);
const isSecretName = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);

const isTarget = (text: string): boolean => {
  const [namespace = "", name = ""] = text.split("/");
  return isNamespace(namespace) && isSecretName(name);
};

const toLabel = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
