import type { CompiledBindings } from "../bindings/binding.ts";
import { triggerPermissions } from "../external-secrets/permissions.ts";
import { type Permission, VERBS } from "./permission.ts";
import { readerPermissions } from "./reader-permissions.ts";
import { orphanPermissions, secretPermissions } from "./secret-permissions.ts";

/** What the relay's group must be allowed to do in one namespace of one cluster. */
export type NamespacePermissions = {
  readonly cluster: string;
  /** Absent: cluster-scoped, or needed in every namespace. */
  readonly namespace?: string;
  readonly permissions: readonly Permission[];
};

/** The permissions that the bindings need, by cluster and namespace, in the order of the file. */
export function permissionsOfBindings(
  compiled: CompiledBindings,
  { findsOrphans }: { readonly findsOrphans: boolean },
): readonly NamespacePermissions[] {
  const all = [...permissionsForTargets(compiled, findsOrphans), ...permissionsForTriggers(compiled)];
  const byNamespace = Map.groupBy(all, ({ cluster, namespace = "" }) => `${cluster}/${namespace}`);
  return [...byNamespace.values()].flatMap((group) => {
    const [first] = group;
    const permissions = distinct(group.flatMap((each) => each.permissions));
    return first ? [{ ...first, permissions }] : [];
  });
}

function permissionsForTargets(
  { bindings }: CompiledBindings,
  findsOrphans: boolean,
): readonly NamespacePermissions[] {
  return bindings.map((binding) => ({
    cluster: binding.target.cluster,
    namespace: binding.target.namespace,
    permissions: [
      ...secretPermissions(binding),
      ...readerPermissions(binding),
      ...(findsOrphans ? orphanPermissions : []),
    ],
  }));
}

function permissionsForTriggers({ clusters }: CompiledBindings): readonly NamespacePermissions[] {
  return Object.entries(clusters).flatMap(([cluster, { externalSecrets }]) => {
    if (externalSecrets === undefined) return [];
    const { roles, clusterRole } = triggerPermissions(externalSecrets);
    const ofNamespaces = Object.entries(roles).map(([namespace, rules]) => {
      return { cluster, namespace, permissions: rules.flatMap(permissionsOfRule) };
    });
    return [...ofNamespaces, { cluster, permissions: clusterRole.flatMap(permissionsOfRule) }];
  });
}

function permissionsOfRule({
  apiGroups,
  resources,
  verbs,
}: ReturnType<typeof triggerPermissions>["clusterRole"][number]): readonly Permission[] {
  const why = "make External Secrets Operator refresh";
  return apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) =>
      VERBS.flatMap((verb) => (verbs.includes(verb) ? [{ apiGroup, resource, verb, why }] : [])),
    ),
  );
}

/** Drops duplicates, and permissions on one object that are also needed on all objects. */
function distinct(permissions: readonly Permission[]): readonly Permission[] {
  const key = ({ apiGroup, resource, verb, name = "" }: Permission) =>
    `${apiGroup}/${resource}/${verb}/${name}`;
  const byKey = new Map(permissions.toReversed().map((each) => [key(each), each]));
  const isCovered = (each: Permission) => each.name !== undefined && byKey.has(key({ ...each, name: "" }));
  return [...byKey.values()].toReversed().filter((each) => !isCovered(each));
}
