import type { TargetRef } from "../../shared/bindings/binding.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";

/** Groups of Secrets of one cluster with the same cause, in the order of their first. Pure. */
export function groupByCause<T extends TargetRef>(
  rows: readonly T[],
  causeOf: (row: T) => string,
): readonly (readonly T[])[] {
  return [...Map.groupBy(rows, (row) => `${row.cluster}\n${causeOf(row)}`).values()];
}

/** `main/shop/db`, or `main: 120 Secrets, shop/db, shop/cache, shop/mail, …`. */
export function nameOfGroup(group: readonly TargetRef[]): string {
  const [first] = group;
  if (first === undefined) return "";
  if (group.length === 1) return nameOfTarget(first);
  const names = group.slice(0, NAMES_SHOWN_MAX).map(({ namespace, name }) => `${namespace}/${name}`);
  const more = group.length > NAMES_SHOWN_MAX ? ", …" : "";
  return `${first.cluster}: ${group.length} Secrets, ${names.join(", ")}${more}`;
}

const NAMES_SHOWN_MAX = 3;
