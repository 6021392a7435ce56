import type { KeyRule } from "../bindings/binding.ts";

/** Rules that need lazily loaded code: expressions, templates, patterns, decoding. */
export type ComposedRule =
  | Exclude<KeyRule, { readonly kind: "all" | "selected" | "value" | "none" }>
  | (Extract<KeyRule, { readonly kind: "value" }> & { readonly decode: string });

export function isComposed(keys: KeyRule): keys is ComposedRule {
  if (keys.kind === "value") return keys.decode !== undefined;
  return keys.kind === "composed" || keys.kind === "extracted";
}
