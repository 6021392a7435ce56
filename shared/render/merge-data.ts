import type { Binding } from "../bindings/binding.ts";
import type { SecretValue } from "../source/secret-value.ts";
import { RenderError } from "./errors.ts";

/** A key that several sources set. Names only. */
export type Collision = {
  readonly key: string;
  /** In the binding's order; the last one wins. */
  readonly sources: readonly string[];
};

export type DataPart = {
  /** The source, or what else set the keys. */
  readonly maker: string;
  readonly data: ReadonlyMap<string, SecretValue>;
};

/** Merges the keys of all sources in the binding's order. A collision is refused unless the policy is `last`. */
export function mergeData(
  { target, collisions: policy }: Binding,
  parts: readonly DataPart[],
): { readonly data: Map<string, SecretValue>; readonly collisions: readonly Collision[] } {
  const data = new Map<string, SecretValue>();
  const makers = new Map<string, string[]>();
  for (const { maker, data: part } of parts) {
    for (const [key, value] of part) {
      data.set(key, value);
      const known = makers.get(key);
      if (known === undefined) makers.set(key, [maker]);
      else known.push(maker);
    }
  }
  const collisions = [...makers]
    .filter(([, sources]) => sources.length > 1)
    .map(([key, sources]) => ({ key, sources }));
  if (collisions.length > 0 && policy !== "last") {
    const named = collisions.map(({ key, sources }) => `${key} (${sources.join(", ")})`);
    throw new RenderError(
      "DATA_KEYS_COLLIDE",
      `Several sources of Secret ${target.namespace}/${target.name} set the same key: ${named.join("; ")}. Rename or remove the key at one of them, or set collisions: last so that the last source wins.`,
    );
  }
  return { data, collisions };
}
