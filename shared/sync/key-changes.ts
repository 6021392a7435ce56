import type { Change } from "./plan.ts";

/** What becomes of one key of a Secret: its name, never its value. */
export type KeyChange = { readonly key: string; readonly what: Change["what"] };

/** Of all fields that an apply changes, the keys: what those who read the Secret are concerned with. */
export function keyChanges(changes: readonly Change[]): readonly KeyChange[] {
  return changes.flatMap(({ field, what }) =>
    field.startsWith(DATA) ? [{ key: field.slice(DATA.length), what }] : [],
  );
}

const DATA = "data.";
