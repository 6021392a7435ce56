import { type FieldReader, isFields } from "./fields.ts";

/**
 * The namespaces of a ClusterExternalSecret: those that it lists, those that it selects by the label that every namespace
 * has with its own name, and those that the operator says it has found. A selector by other labels is known to the
 * cluster alone.
 */
export function namespacesOf(
  spec: FieldReader,
  status: unknown,
): { readonly namespaces: readonly string[]; readonly areFixed: boolean } {
  const listed = spec.names("namespaces");
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
  spec.object(
    "NAMESPACES",
    "which namespaces it selects only the cluster knows. Import it --live, or from `kubectl get clusterexternalsecrets -o yaml`",
    selectors.length > 1 ? "namespaceSelectors" : "namespaceSelector",
  );
  return { namespaces: [], areFixed: false };
}

/** The namespaces that a selector by the label of the name means; undefined for any other. */
function namesIn(selector: FieldReader): readonly string[] | undefined {
  const labels = selector.texts("matchLabels");
  const expressions = selector.list("matchExpressions").map((expression) => ({
    key: expression.text("key"),
    operator: expression.text("operator"),
    values: expression.names("values"),
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

/** The API server puts it on every namespace, and nobody can change it. */
const NAME_LABEL = "kubernetes.io/metadata.name";
