import { Document, isMap, isSeq } from "yaml";
import type { NamespacePermissions } from "../../shared/permissions/permissions-of-bindings.ts";
import { type ExplainedRule, type PolicyRule, policyRules } from "../../shared/permissions/policy-rules.ts";

export type RoleManifest = {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "Role" | "ClusterRole";
  readonly metadata: Metadata;
  readonly rules: readonly PolicyRule[];
};

export type RoleBindingManifest = {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "RoleBinding" | "ClusterRoleBinding";
  readonly metadata: Metadata;
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly apiGroup: string; readonly kind: "Group"; readonly name: string }[];
};

type Metadata = { readonly name: string; readonly namespace?: string };

/** A Role and its binding to the relay's group, with the reasons for each rule. */
export type ExplainedManifests = {
  readonly role: RoleManifest;
  readonly roleBinding: RoleBindingManifest;
  readonly why: readonly (readonly string[])[];
};

/** `relay` names the Role; `group` is the Kubernetes group of the access entries, by default the same name. */
export function roleManifests(
  { namespace, permissions }: NamespacePermissions,
  { relay, group = relay }: { readonly relay: string; readonly group?: string | undefined },
): ExplainedManifests {
  const explained: readonly ExplainedRule[] = policyRules(permissions);
  const metadata = { name: relay, ...(namespace !== undefined && { namespace }) };
  const apiVersion = `${RBAC}/v1` as const;
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  return {
    role: { apiVersion, kind, metadata, rules: explained.map(({ rule }) => rule) },
    roleBinding: {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: RBAC, kind, name: relay },
      subjects: [{ apiGroup: RBAC, kind: "Group", name: group }],
    },
    why: explained.map(({ why }) => why),
  };
}

/** YAML for kubectl, with a comment above each rule. */
export function printManifests({ role, roleBinding, why }: ExplainedManifests): string {
  const document = new Document(role);
  const rules = document.get("rules");
  for (const [at, rule] of (isSeq(rules) ? rules.items : []).entries()) {
    if (!isMap(rule)) continue;
    rule.commentBefore = ` ${(why[at] ?? []).join("; ")}`;
    for (const { key, value } of rule.items)
      if (isSeq(value) && String(key) !== "resourceNames") value.flow = true;
  }
  return [document, new Document(roleBinding)]
    .map((each) => each.toString({ flowCollectionPadding: false, lineWidth: 0 }).trimEnd())
    .join("\n---\n");
}

const RBAC = "rbac.authorization.k8s.io";
