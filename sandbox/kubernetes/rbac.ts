import { MASTERS, type User } from "./authentication.ts";
import type { KubernetesObject } from "./object.ts";
import { type RoleRef, type Rule, roleRefOf, rulesOf, type Subject, subjectsOf } from "./rbac-objects.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES } from "./resources.ts";
import { ApiStatus, type Named, resourceDetails } from "./status.ts";
import type { Store } from "./store.ts";

export type Attempt = {
  verb: string;
  group: string;
  resource: string;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
};

export type Decision = { allowed: boolean; reason: string };

/** Whether a user may do this, by the currently stored roles. */
export function decide(store: Store, user: User, attempt: Attempt): Decision {
  if (user.groups.includes(MASTERS)) return { allowed: true, reason: "" };
  const missing: string[] = [];
  for (const { binding, rules, description } of boundRules(store, attempt.namespace, missing)) {
    const subject = subjectsOf(binding).find((candidate) => isSubject(candidate, user));
    if (subject && rules.some((rule) => covers(rule, attempt))) {
      return {
        allowed: true,
        reason: `RBAC: allowed by ${description} to ${subject.kind} "${subject.name}"`,
      };
    }
  }
  return { allowed: false, reason: missing.length > 0 ? `RBAC: ${missing.join(", ")}` : "" };
}

/** 403 in the real server's words. */
export function authorize(store: Store, user: User, of: Named, attempt: Attempt): void {
  const { allowed, reason } = decide(store, user, attempt);
  if (allowed) return;
  const { verb, group, resource, subresource, namespace, name } = attempt;
  const what = group ? `${resource}.${group}` : resource;
  const path = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  const message =
    `${what}${name ? ` "${name}"` : ""} is forbidden: User "${user.username}" cannot ${verb} ` +
    `resource "${path}" in API group "${group}" ${where}${reason ? `: ${reason}` : ""}`;
  throw new ApiStatus(403, "Forbidden", message, resourceDetails(of, name));
}

/** The pages that all callers, or all authenticated ones, may read by the default roles of a cluster. */
export function authorizePage(user: User, path: string): void {
  if (user.groups.includes(MASTERS) || /^\/(healthz|livez|readyz|version)\/?$/.test(path)) return;
  const isDiscovery = /^\/(api|apis|openapi)(\/|$)/.test(path);
  if (isDiscovery && user.groups.includes("system:authenticated")) return;
  const message = `forbidden: User "${user.username}" cannot get path "${path}"`;
  throw new ApiStatus(403, "Forbidden", message, {});
}

type BoundRules = { binding: KubernetesObject; rules: Rule[]; description: string };

function* boundRules(store: Store, namespace: string | undefined, missing: string[]): Generator<BoundRules> {
  for (const binding of store.list(CLUSTER_ROLE_BINDINGS, undefined)) {
    yield resolve(store, binding, undefined, missing);
  }
  if (namespace === undefined) return;
  for (const binding of store.list(ROLE_BINDINGS, namespace))
    yield resolve(store, binding, namespace, missing);
}

function resolve(
  store: Store,
  binding: KubernetesObject,
  namespace: string | undefined,
  missing: string[],
): BoundRules {
  const ref = roleRefOf(binding);
  const role = findRole(store, ref, namespace);
  if (!role) missing.push(`${ref.kind.toLowerCase()}.rbac.authorization.k8s.io "${ref.name}" not found`);
  const name = namespace ? `${binding.metadata.name}/${namespace}` : binding.metadata.name;
  const description = `${binding.kind} "${name}" of ${ref.kind} "${ref.name}"`;
  return { binding, rules: role ? rulesOf(role) : [], description };
}

function findRole(store: Store, ref: RoleRef, namespace: string | undefined): KubernetesObject | undefined {
  return ref.kind === "ClusterRole"
    ? store.find(CLUSTER_ROLES, undefined, ref.name)
    : store.find(ROLES, namespace, ref.name);
}

function isSubject({ kind, name }: Subject, user: User): boolean {
  return kind === "Group" ? user.groups.includes(name) : kind === "User" && name === user.username;
}

/** A rule with names covers only requests that have one: never a POST, never an unfiltered list. */
function covers(rule: Rule, { verb, group, resource, subresource, name }: Attempt): boolean {
  const path = subresource ? `${resource}/${subresource}` : resource;
  return (
    hasOrAll(rule.verbs, verb) &&
    hasOrAll(rule.apiGroups, group) &&
    (hasOrAll(rule.resources, path) ||
      Boolean(subresource && rule.resources?.includes(`*/${subresource}`))) &&
    (!rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

const hasOrAll = (list: string[] | undefined, wanted: string): boolean =>
  Boolean(list?.includes("*") || list?.includes(wanted));
