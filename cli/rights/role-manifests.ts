import { Document, isMap, isSeq } from "yaml";
import { type ExplainedRule, type PolicyRule, policyRules } from "../../shared/rights/policy-rules.ts";
import type { PlaceRights } from "../../shared/rights/rights-of-bindings.ts";

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

/** The role of one place and the binding that gives it to the relay's group, with what each rule is for. */
export type ExplainedManifests = {
  readonly role: RoleManifest;
  readonly roleBinding: RoleBindingManifest;
  readonly why: readonly (readonly string[])[];
};

/** `relay` names the Role; `group` is the Kubernetes group of its access entries, the same unless another was chosen. */
export function roleManifests(
  { namespace, rights }: PlaceRights,
  { relay, group = relay }: { readonly relay: string; readonly group?: string | undefined },
): ExplainedManifests {
  const explained: readonly ExplainedRule[] = policyRules(rights);
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

/** As kubectl takes it, with a comment above each rule. */
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
