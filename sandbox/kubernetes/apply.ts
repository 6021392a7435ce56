import { isDeepStrictEqual } from "node:util";
import {
  compareFields,
  FieldSet,
  type FieldShape,
  fieldSetOf,
  mergeFields,
  printPath,
  removeFields,
} from "./field-set.ts";
import {
  type Owner,
  type Owners,
  ownerKey,
  takeFromOthers,
  trackUpdate,
  type Writer,
  withoutIdentity,
} from "./managed-fields.ts";
import type { KubernetesObject } from "./object.ts";
import { ApiStatus, type StatusCause } from "./status.ts";

export type Applied = { object: KubernetesObject; owners: Owners };

/**
 * Server-side apply: merges the applied object into the live one, removes what this manager applied before but not now
 * (unless another owns it), and refuses to change fields of other owners unless forced.
 */
export function applyFields(
  live: KubernetesObject,
  applied: KubernetesObject,
  liveOwners: Owners,
  options: { writer: Writer; shape: FieldShape; time: string; force: boolean },
): Applied {
  const { writer, shape, time, force } = options;
  const owners =
    liveOwners.size === 0 && live.metadata.uid ? ownersBeforeFirstApply(live, options) : liveOwners;
  const key = ownerKey(writer);
  const last = owners.get(key);
  const claimed: Owner = {
    ...writer,
    ...(last?.time ? { time: last.time } : {}),
    set: fieldSetOf(applied, shape),
  };
  const withClaim = new Map(owners).set(key, claimed);

  const merged = mergeFields(live, applied, shape) as KubernetesObject;
  const object = prune(merged, last?.set, withClaim, shape);
  const changes = compareFields(live, object, shape);
  const conflicts = conflictsWith(withClaim, changes.added.union(changes.modified), key);
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);

  const left = new Map(takeFromOthers(withClaim, changes, key));
  const set = withoutIdentity(claimed.set);
  const changed = !isDeepStrictEqual(live, object);
  if (set.isEmpty) left.delete(key);
  // Only a changed object updates its writer's time: a manager that joins with equal values has no time.
  else left.set(key, { ...claimed, set, ...(changed ? { time } : {}) });
  return { object, owners: left };
}

/** A live object without managedFields belongs to an older writer entirely. */
function ownersBeforeFirstApply(
  live: KubernetesObject,
  { writer, shape, time }: { writer: Writer; shape: FieldShape; time: string },
): Owners {
  const before: Writer = { ...writer, manager: "before-first-apply", operation: "Update" };
  return trackUpdate(undefined, live, new Map(), { writer: before, shape, time });
}

function prune(
  merged: KubernetesObject,
  last: FieldSet | undefined,
  owners: Owners,
  shape: FieldShape,
): KubernetesObject {
  if (!last) return merged;
  const owned = [...owners.values()].reduce((all, owner) => all.union(owner.set), new FieldSet());
  const orphaned = last.paths.filter((path) => !owned.hasAtOrBelow(path));
  return orphaned.length === 0
    ? merged
    : (removeFields(merged, { paths: orphaned, owned, shape }) as KubernetesObject);
}

type Conflict = { owner: Owner; paths: string[] };

function conflictsWith(owners: Owners, changed: FieldSet, except: string): Conflict[] {
  return [...owners]
    .filter(([key]) => key !== except)
    .map(([, owner]) => ({ owner, paths: owner.set.intersection(changed).paths.map(printPath) }))
    .filter(({ paths }) => paths.length > 0)
    .sort((a, b) => (a.owner.manager < b.owner.manager ? -1 : 1));
}

function applyConflict(conflicts: Conflict[]): ApiStatus {
  const causes = conflicts.flatMap(({ owner, paths }) =>
    paths.map((field): StatusCause => {
      return { reason: "FieldManagerConflict", message: `conflict with ${printOwner(owner)}`, field };
    }),
  );
  return new ApiStatus(409, "Conflict", conflictMessage(conflicts, causes), { causes });
}

function conflictMessage(conflicts: Conflict[], causes: StatusCause[]): string {
  const [only] = causes;
  if (causes.length === 1 && only) return `Apply failed with 1 conflict: ${only.message}: ${only.field}`;
  const lines = conflicts.flatMap(({ owner, paths }) => [
    `conflicts with ${printOwner(owner)}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return `Apply failed with ${causes.length} conflicts: ${lines.join("\n")}`;
}

function printOwner({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = subresource ? `"${manager}" with subresource "${subresource}"` : `"${manager}"`;
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
