import { types } from "node:util";

/** An untrusted object; read it only with `own`. */
export type Foreign = { readonly __foreign: unique symbol };

/** Any object except arrays, functions, and Proxies, whose traps could throw. */
export function isForeign(value: unknown): value is Foreign {
  return typeof value === "object" && value !== null && !types.isProxy(value) && !Array.isArray(value);
}

/** Reads an own property without running getters. */
export function own(value: unknown, key: string): unknown {
  return isForeign(value) ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}

export function ownString(value: unknown, key: string): string | undefined {
  const found = own(value, key);
  return typeof found === "string" ? found : undefined;
}

export function hasOwn(value: unknown, key: string): boolean {
  return isForeign(value) && Object.hasOwn(value, key);
}

export function isList(value: unknown): value is unknown[] {
  return !types.isProxy(value) && Array.isArray(value);
}

/** The elements of an untrusted array, or undefined when it is not an array or has more than `max` elements. */
export function elementsOf(value: unknown, max: number): readonly unknown[] | undefined {
  if (!isList(value) || value.length > max) return undefined;
  return Array.from({ length: value.length }, (_, index) => {
    return Object.getOwnPropertyDescriptor(value, String(index))?.value;
  });
}
