import { type FieldReader, isFields } from "./fields.ts";

/**
 * The namespaces of a ClusterExternalSecret: listed, selected by the label with the namespace's own name, or found by the
 * operator. A selector of other labels cannot be resolved without the cluster.
 */
export function namespacesOf(
  spec: FieldReader,
  status: unknown,
): { readonly namespaces: readonly string[]; readonly areFixed: boolean } {
  const listed = spec.stringList("namespaces");
  const selectors = [
    ...(spec.has("namespaceSelector") ? [spec.map("namespaceSelector")] : []),
    ...spec.list("namespaceSelectors"),
  ];
  const found = isFields(status) ? status.provisionedNamespaces : undefined;
  const provisioned = Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
  const byName = selectors.map(namesIn);
  if (byName.every((names) => names !== undefined)) {
    const namespaces = [...new Set([...listed, ...byName.flat()])];
    if (namespaces.length > 0) return { namespaces, areFixed: false };
  }
  if (provisioned.length > 0)
    return { namespaces: [...new Set([...listed, ...provisioned])].sort(), areFixed: true };
  spec.refuse(
    "NAMESPACES",
    "only the cluster can resolve this selector. Import it with --live, or from `kubectl get clusterexternalsecrets -o yaml`",
    selectors.length > 1 ? "namespaceSelectors" : "namespaceSelector",
  );
  return { namespaces: [], areFixed: false };
}

/** Undefined for a selector of any label but the name. */
function namesIn(selector: FieldReader): readonly string[] | undefined {
  const labels = selector.stringMap("matchLabels");
  const expressions = selector.list("matchExpressions").map((expression) => ({
    key: expression.string("key"),
    operator: expression.string("operator"),
    values: expression.stringList("values"),
  }));
  selector.end();
  const sets = [
    ...Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] })),
    ...expressions,
  ];
  const [first, ...others] = sets;
  if (first === undefined || others.length > 0) return undefined;
  return first.key === NAME_LABEL && first.operator === "In" ? first.values : undefined;
}

/** The API server sets it on every namespace, and it cannot be changed. */
const NAME_LABEL = "kubernetes.io/metadata.name";
