import { apiVersionOf, type Resource } from "./resources.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

const READS: readonly Verb[] = ["get", "list", "watch"];
const WRITES: readonly Verb[] = ["create", "delete", "patch", "update"];

export type ResourceTarget = {
  kind: "resource";
  resource: Resource;
  namespace?: string;
  name?: string;
  subresource?: string;
};

/** The meaning of a path: a stored resource, or a fixed page such as discovery. */
export type Target = ResourceTarget | { kind: "page"; path: string };

export function parseTarget(path: string, resources: readonly Resource[]): Target {
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  const found = findGroupVersion(parts);
  if (!found || found.rest.length === 0) return { kind: "page", path };
  const { group, version, rest } = found;
  const inNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [plural, name, subresource] = inNamespace ? rest.slice(2) : rest;
  const resource = resources.find(
    (candidate) =>
      candidate.group === group && candidate.version === version && candidate.resource === plural,
  );
  const namespace = inNamespace ? rest[1] : undefined;
  // A list over all namespaces has none; a named object has its namespace.
  const isMisplaced = resource?.namespaced ? !inNamespace && name !== undefined : inNamespace;
  if (!resource || isMisplaced) return { kind: "page", path };
  return {
    kind: "resource",
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

export function verbOf(method: string, target: ResourceTarget, isWatch: boolean): Verb | undefined {
  if (target.name === undefined) {
    if (method === "GET") return isWatch ? "watch" : "list";
    return method === "POST" ? "create" : undefined;
  }
  return ({ GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" } as const)[method];
}

/** The fixed pages that describe the served resources. */
export function discoveryPage(path: string, resources: readonly Resource[]): unknown {
  const groups = [...new Set(resources.map(({ group }) => group))].filter(Boolean);
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") {
    return {
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: groups.map((group) => apiGroup(group, resources)),
    };
  }
  const parts = path.split("/").filter(Boolean);
  const found = findGroupVersion(parts);
  if (found && found.rest.length === 0) {
    const rows = resources.filter(({ group, version }) => group === found.group && version === found.version);
    return rows[0] && resourceList(rows);
  }
  const [apis, group = ""] = parts;
  return apis === "apis" && parts.length === 2 && groups.includes(group)
    ? { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group, resources) }
    : undefined;
}

function findGroupVersion(parts: string[]) {
  const [root, group = "", version = ""] = parts;
  if (root === "api" && group === "v1") return { group: "", version: "v1", rest: parts.slice(2) };
  if (root === "apis" && version) return { group, version, rest: parts.slice(3) };
  return undefined;
}

function apiGroup(group: string, resources: readonly Resource[]) {
  const ofGroup = resources.filter((resource) => resource.group === group);
  const versions = [...new Set(ofGroup.map(({ version }) => version))].map((version) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(rows: Resource[]) {
  const [first] = rows;
  const isCore = first?.group === "";
  return {
    kind: "APIResourceList",
    ...(isCore ? {} : { apiVersion: "v1" }),
    groupVersion: first && apiVersionOf(first),
    resources: rows.map(({ resource, singular, namespaced, kind, shortNames, categories, viewOf }) => ({
      name: resource,
      singularName: singular,
      namespaced,
      kind,
      verbs: viewOf ? READS : [...WRITES, ...READS].sort(),
      ...(shortNames ? { shortNames } : {}),
      ...(categories ? { categories } : {}),
    })),
  };
}
