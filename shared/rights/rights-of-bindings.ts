import type { CompiledBindings } from "../bindings/binding.ts";
import { readerRights } from "./reader-rights.ts";
import type { Right } from "./right.ts";
import { orphanRights, secretRights } from "./secret-rights.ts";

/** What the relay's group must be allowed to do in one namespace of one cluster. */
export type NamespaceRights = {
  readonly cluster: string;
  readonly namespace: string;
  readonly rights: readonly Right[];
};

/** Every right that the bindings need and no other, by cluster and namespace, in the order of the file. */
export function rightsOfBindings(
  { bindings }: CompiledBindings,
  { findsOrphans }: { readonly findsOrphans: boolean },
): readonly NamespaceRights[] {
  const byPlace = Map.groupBy(bindings, ({ target }) => `${target.cluster}/${target.namespace}`);
  return [...byPlace.values()].flatMap((bound) => {
    const [first] = bound;
    if (first === undefined) return [];
    const { cluster, namespace } = first.target;
    const rights = bound.flatMap((binding) => [...secretRights(binding), ...readerRights(binding)]);
    return [{ cluster, namespace, rights: distinct(findsOrphans ? [...rights, ...orphanRights] : rights) }];
  });
}

/** Without repetitions, and without a right on one object where the same is needed on all of them. */
function distinct(rights: readonly Right[]): readonly Right[] {
  const key = ({ apiGroup, resource, verb, name = "" }: Right) => `${apiGroup}/${resource}/${verb}/${name}`;
  const byKey = new Map(rights.toReversed().map((right) => [key(right), right]));
  const isCovered = (right: Right) => right.name !== undefined && byKey.has(key({ ...right, name: "" }));
  return [...byKey.values()].toReversed().filter((right) => !isCovered(right));
}
