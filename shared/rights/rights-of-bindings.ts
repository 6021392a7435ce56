import type { CompiledBindings } from "../bindings/binding.ts";
import { triggerRights } from "../external-secrets/rights.ts";
import { readerRights } from "./reader-rights.ts";
import { type Right, VERBS } from "./right.ts";
import { orphanRights, secretRights } from "./secret-rights.ts";

/** What the relay's group must be allowed to do in one place of one cluster. */
export type PlaceRights = {
  readonly cluster: string;
  /** Absent: what is needed in every namespace, or belongs to none. */
  readonly namespace?: string;
  readonly rights: readonly Right[];
};

/** Every right that the bindings need and no other, by cluster and namespace, in the order of the file. */
export function rightsOfBindings(
  compiled: CompiledBindings,
  { findsOrphans }: { readonly findsOrphans: boolean },
): readonly PlaceRights[] {
  const places = [...rightsForTargets(compiled, findsOrphans), ...rightsForTriggers(compiled)];
  const byPlace = Map.groupBy(places, ({ cluster, namespace = "" }) => `${cluster}/${namespace}`);
  return [...byPlace.values()].flatMap((alike) => {
    const [first] = alike;
    return first ? [{ ...first, rights: distinct(alike.flatMap(({ rights }) => rights)) }] : [];
  });
}

function rightsForTargets({ bindings }: CompiledBindings, findsOrphans: boolean): readonly PlaceRights[] {
  return bindings.map((binding) => ({
    cluster: binding.target.cluster,
    namespace: binding.target.namespace,
    rights: [...secretRights(binding), ...readerRights(binding), ...(findsOrphans ? orphanRights : [])],
  }));
}

function rightsForTriggers({ clusters }: CompiledBindings): readonly PlaceRights[] {
  return Object.entries(clusters).flatMap(([cluster, { externalSecrets }]) => {
    if (externalSecrets === undefined) return [];
    const { roles, clusterRole } = triggerRights(externalSecrets);
    const ofNamespaces = Object.entries(roles).map(([namespace, rules]) => {
      return { cluster, namespace, rights: rules.flatMap(rightsOfRule) };
    });
    return [...ofNamespaces, { cluster, rights: clusterRole.flatMap(rightsOfRule) }];
  });
}

function rightsOfRule({
  apiGroups,
  resources,
  verbs,
}: ReturnType<typeof triggerRights>["clusterRole"][number]): readonly Right[] {
  const why = "make External Secrets Operator refresh";
  return apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) =>
      VERBS.flatMap((verb) => (verbs.includes(verb) ? [{ apiGroup, resource, verb, why }] : [])),
    ),
  );
}

/** Without repetitions, and without a right on one object where the same is needed on all of them. */
function distinct(rights: readonly Right[]): readonly Right[] {
  const key = ({ apiGroup, resource, verb, name = "" }: Right) => `${apiGroup}/${resource}/${verb}/${name}`;
  const byKey = new Map(rights.toReversed().map((right) => [key(right), right]));
  const isCovered = (right: Right) => right.name !== undefined && byKey.has(key({ ...right, name: "" }));
  return [...byKey.values()].toReversed().filter((right) => !isCovered(right));
}
