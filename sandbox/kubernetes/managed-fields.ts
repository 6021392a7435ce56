import { type Comparison, compareFields, FieldSet, type FieldShape } from "./field-set.ts";
import type { KubernetesObject, ManagedFieldsEntry } from "./object.ts";

/** One owner: the same manager owns separately for apply and for update. */
export type Owner = {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  subresource?: string;
  time?: string;
  set: FieldSet;
};

export type Owners = ReadonlyMap<string, Owner>;

export type Writer = Pick<Owner, "manager" | "operation" | "apiVersion">;

export const ownerKey = ({ manager, operation, apiVersion, subresource }: Omit<Owner, "set">): string =>
  JSON.stringify([manager, operation, apiVersion, subresource ?? ""]);

export function decodeOwners(entries: readonly ManagedFieldsEntry[] = []): Owners {
  const owners = entries.flatMap((entry): Owner[] => {
    const { manager = "", operation, apiVersion = "", subresource, time, fieldsV1 } = entry;
    if (operation !== "Apply" && operation !== "Update") return [];
    const set = FieldSet.fromFieldsV1(fieldsV1 ?? {});
    const optional = { ...(subresource ? { subresource } : {}), ...(time ? { time } : {}) };
    return [{ manager, operation, apiVersion, ...optional, set }];
  });
  return new Map(owners.map((owner) => [ownerKey(owner), owner]));
}

export function encodeOwners(owners: Owners): ManagedFieldsEntry[] {
  return [...owners.values()]
    .sort(inWireOrder)
    .map(({ set, manager, operation, apiVersion, time, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(time ? { time } : {}),
      fieldsType: "FieldsV1",
      fieldsV1: set.toFieldsV1(),
      ...(subresource ? { subresource } : {}),
    }));
}

/** A write other than apply takes what it changed from all owners, including the manager's own other entries. */
export function trackUpdate(
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  owners: Owners,
  { writer, shape, time }: { writer: Writer; shape: FieldShape; time: string },
): Owners {
  // An object whose managedFields were cleared is not tracked again until the next apply.
  if (before && owners.size === 0) return owners;
  const changes = compareFields(before ?? {}, after, shape);
  const taken = withoutIdentity(changes.added.union(changes.modified));
  const left = new Map(takeFromOthers(owners, changes));
  if (taken.isEmpty) return left;
  const key = ownerKey(writer);
  const earlier = left.get(key)?.set ?? new FieldSet();
  left.set(key, { ...writer, time, set: earlier.union(taken) });
  return left;
}

/** What owners lose by a change: changed fields, and removed fields. */
export function takeFromOthers(owners: Owners, changes: Comparison, except?: string): Owners {
  const taken = changes.added.union(changes.modified).union(changes.removed);
  const left = [...owners].map(([key, owner]): [string, Owner] =>
    key === except ? [key, owner] : [key, { ...owner, set: owner.set.difference(taken) }],
  );
  return new Map(left.filter(([, owner]) => !owner.set.isEmpty));
}

/** Fields that identify the object have no owner. */
export const withoutIdentity = (set: FieldSet): FieldSet => set.difference(IDENTITY);

const META = "f:metadata";
const IDENTITY = new FieldSet([
  ["f:apiVersion"],
  ["f:kind"],
  [META],
  [META, "f:name"],
  [META, "f:namespace"],
  [META, "f:creationTimestamp"],
  [META, "f:selfLink"],
  [META, "f:uid"],
  [META, "f:clusterName"],
  [META, "f:generation"],
  [META, "f:managedFields"],
  [META, "f:resourceVersion"],
]);

function inWireOrder(a: Owner, b: Owner): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? "", b.time ?? "") ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? "", b.subresource ?? "")
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
