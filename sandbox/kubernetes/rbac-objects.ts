import { isDeepStrictEqual } from "node:util";
import { type Fields, fieldsOf, type KubernetesObject } from "./object.ts";
import { type FieldProblem, invalidValue, required } from "./status.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";

export type Rule = {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
};

export type Subject = { kind: string; name: string; namespace?: string; apiGroup?: string };

export type RoleRef = { kind: string; name: string };

export const rulesOf = (role: KubernetesObject): Rule[] => (role.rules ?? []) as Rule[];
export const subjectsOf = (binding: KubernetesObject): Subject[] => (binding.subjects ?? []) as Subject[];
export const roleRefOf = (binding: KubernetesObject): RoleRef => binding.roleRef as RoleRef;

/** Users, groups and roles may omit the API group; the server adds it. */
export function normalizeBinding(binding: Fields): Fields {
  const subjects = ((binding.subjects ?? []) as Fields[]).map((subject) =>
    subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: subject.apiGroup || RBAC_GROUP },
  );
  const roleRef = {
    ...fieldsOf(binding.roleRef),
    apiGroup: fieldsOf(binding.roleRef).apiGroup || RBAC_GROUP,
  };
  return { ...binding, ...(subjects.length > 0 ? { subjects } : {}), roleRef };
}

export function roleProblems(role: KubernetesObject): FieldProblem[] {
  return rulesOf(role).flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`));
}

export function bindingProblems(binding: KubernetesObject): FieldProblem[] {
  const roleRef = fieldsOf(binding.roleRef);
  return [
    ...(roleRef.name ? [] : [required("roleRef.name")]),
    ...subjectsOf(binding).flatMap(({ name }, index) => (name ? [] : [required(`subjects[${index}].name`)])),
  ];
}

export function bindingChangeProblems(before: KubernetesObject, after: KubernetesObject): FieldProblem[] {
  if (isDeepStrictEqual(before.roleRef, after.roleRef)) return [];
  const { apiGroup, kind, name } = fieldsOf(after.roleRef);
  return [invalidValue("roleRef", { APIGroup: apiGroup, Kind: kind, Name: name }, "cannot change roleRef")];
}

function ruleProblems(rule: Rule, field: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!rule.verbs?.length) problems.push(required(`${field}.verbs`, "verbs must contain at least one value"));
  if (rule.nonResourceURLs?.length) return problems;
  if (!rule.apiGroups?.length) {
    problems.push(required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (!rule.resources?.length) {
    problems.push(required(`${field}.resources`, "resource rules must supply at least one resource"));
  }
  return problems;
}
