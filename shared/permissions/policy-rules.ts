import { type Permission, VERBS } from "./permission.ts";

/** A rule of a Role. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

export type ExplainedRule = { readonly rule: PolicyRule; readonly why: readonly string[] };

/**
 * The fewest rules that allow exactly these permissions. A rule allows every combination of its resources, names and
 * verbs. So names are merged only if their verbs are equal, and resources only if they have no names.
 */
export function policyRules(permissions: readonly Permission[]): readonly ExplainedRule[] {
  const objects = groupBy(permissions, ({ apiGroup, resource, name }) => [
    apiGroup,
    resource,
    name ?? "",
  ]).map((ofOne) => ({ ofOne, verbs: VERBS.filter((verb) => ofOne.some((each) => each.verb === verb)) }));
  const alike = groupBy(objects, ({ ofOne, verbs }) => {
    const [{ apiGroup, resource, name }] = ofOne;
    return [apiGroup, name === undefined ? "" : resource, name === undefined ? "" : "named", ...verbs];
  });
  return alike.map((group) => {
    const [{ ofOne, verbs }] = group;
    const merged = group.flatMap((object) => object.ofOne);
    const names = unique(merged.flatMap(({ name }) => name ?? []));
    return {
      rule: {
        apiGroups: [ofOne[0].apiGroup],
        resources: unique(merged.map(({ resource }) => resource)),
        ...(names.length > 0 && { resourceNames: names }),
        verbs,
      },
      why: unique(merged.map(({ why }) => why)),
    };
  });
}

type NonEmpty<T> = readonly [T, ...T[]];

function groupBy<T>(items: readonly T[], key: (item: T) => readonly string[]): readonly NonEmpty<T>[] {
  // Kubernetes names never contain a line feed.
  return [
    ...Map.groupBy(items, (item) => key(item).join("\n")).values(),
  ] as unknown as readonly NonEmpty<T>[];
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
