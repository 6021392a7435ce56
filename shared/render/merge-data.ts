import type { Binding, BoundSource } from "../bindings/binding.ts";
import { nameOfSource } from "../bindings/name-of-sources.ts";
import type { SecretValue } from "../secret-value/secret-value.ts";
import { RenderError } from "./errors.ts";
import { isDataKey } from "./is-data-key.ts";
import type { RenderSource } from "./render-source.ts";

/** A key that more than one source makes. Names only. */
export type Collision = {
  readonly key: string;
  /** As the binding writes them, in its order; the last one's is taken. */
  readonly sources: readonly string[];
};

export type DataPart = {
  readonly bound: BoundSource;
  readonly source: RenderSource;
  readonly data: ReadonlyMap<string, SecretValue>;
};

/** The keys of all sources, in the binding's order. Two that make one key are refused, unless the last one is to win. */
export function mergeData(
  { target, collisions: policy }: Binding,
  parts: readonly DataPart[],
): { readonly data: Map<string, SecretValue>; readonly collisions: readonly Collision[] } {
  const data = new Map<string, SecretValue>();
  const makers = new Map<string, string[]>();
  for (const { bound, data: part } of parts) {
    for (const [key, value] of part) {
      data.set(key, value);
      const known = makers.get(key);
      if (known === undefined) makers.set(key, [nameOfSource(bound)]);
      else known.push(nameOfSource(bound));
    }
  }
  const collisions = [...makers]
    .filter(([, sources]) => sources.length > 1)
    .map(([key, sources]) => ({ key, sources }));
  if (collisions.length > 0 && policy !== "last") {
    const named = collisions.map(({ key, sources }) => {
      return `${isDataKey(key) ? key : "a key that is none"} (${sources.join(", ")})`;
    });
    throw new RenderError(
      "DATA_KEYS_COLLIDE",
      `Several sources of Secret ${target.namespace}/${target.name} make the same key: ${named.join("; ")}. Rename or leave out the key at one of them, or set collisions: last to let the later one win.`,
    );
  }
  return { data, collisions };
}
