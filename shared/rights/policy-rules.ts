import { type Right, VERBS } from "./right.ts";

/** A rule of a Role, as Kubernetes reads it. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

export type ExplainedRule = { readonly rule: PolicyRule; readonly why: readonly string[] };

/**
 * The fewest rules that allow these rights and nothing besides. Names are put together only where the verbs are the
 * same, and resources only where there are no names: a rule allows every pairing of what it lists.
 */
export function policyRules(rights: readonly Right[]): readonly ExplainedRule[] {
  const objects = groupBy(rights, ({ apiGroup, resource, name }) => [apiGroup, resource, name ?? ""]).map(
    (ofOne) => ({ ofOne, verbs: VERBS.filter((verb) => ofOne.some((right) => right.verb === verb)) }),
  );
  const alike = groupBy(objects, ({ ofOne, verbs }) => {
    const [{ apiGroup, resource, name }] = ofOne;
    return [apiGroup, name === undefined ? "" : resource, name === undefined ? "" : "named", ...verbs];
  });
  return alike.map((group) => {
    const [{ ofOne, verbs }] = group;
    const rightsOf = group.flatMap((object) => object.ofOne);
    const names = unique(rightsOf.flatMap(({ name }) => name ?? []));
    return {
      rule: {
        apiGroups: [ofOne[0].apiGroup],
        resources: unique(rightsOf.map(({ resource }) => resource)),
        ...(names.length > 0 && { resourceNames: names }),
        verbs,
      },
      why: unique(rightsOf.map(({ why }) => why)),
    };
  });
}

type Filled<T> = readonly [T, ...T[]];

function groupBy<T>(items: readonly T[], key: (item: T) => readonly string[]): readonly Filled<T>[] {
  // A name of Kubernetes holds no line feed.
  return [...Map.groupBy(items, (item) => key(item).join("\n")).values()] as unknown as readonly Filled<T>[];
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
