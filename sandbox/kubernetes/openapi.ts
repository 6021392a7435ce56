import { apiVersionOf, type Resource } from "./resources.ts";

/**
 * OpenAPI v3 as far as kubectl needs it before a write: which kinds accept `fieldValidation`, so that the server
 * validates. Without schemas, `kubectl explain` finds nothing.
 */
export function openApiPage(path: string, resources: readonly Resource[]): unknown {
  if (path === ROOT) {
    const paths = [...new Set(resources.map(pathOf))];
    return {
      paths: Object.fromEntries(
        paths.map((each) => [each, { serverRelativeURL: `${ROOT}/${each}?hash=SANDBOX` }]),
      ),
    };
  }
  const rows = resources.filter((resource) => path === `${ROOT}/${pathOf(resource)}`);
  return rows.length === 0 ? undefined : documentOf(rows);
}

const ROOT = "/openapi/v3";

const pathOf = (resource: Resource): string => `${resource.group ? "apis" : "api"}/${apiVersionOf(resource)}`;

function documentOf(rows: readonly Resource[]) {
  const paths = rows.map((resource) => {
    const { group, version, kind } = resource;
    const place = resource.namespaced ? "/namespaces/{namespace}" : "";
    const patch = {
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group, version, kind },
      parameters: ["dryRun", "fieldManager", "fieldValidation", "force"].map(queryParameter),
      responses: { 200: { description: "OK" } },
    };
    return [`/${pathOf(resource)}${place}/${resource.resource}/{name}`, { patch }];
  });
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: Object.fromEntries(paths),
    components: {},
  };
}

const queryParameter = (name: string) => ({
  name,
  in: "query",
  schema: { type: "string", uniqueItems: true },
});
