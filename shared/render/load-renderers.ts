import type { Binding } from "../bindings/binding.ts";
import type { SecretValue } from "../secret-value/secret-value.ts";
import type { TypeFacts } from "./check-type.ts";
import { type ComposedRule, isComposed } from "./is-composed.ts";
import type { RenderSource } from "./render-source.ts";

/** What rendering a binding takes beside the core. Most bindings take nothing. */
export type Renderers = {
  /** Makes the data of a source whose rule takes more than the core. */
  readonly composeData?: (
    binding: Binding,
    keys: ComposedRule,
    source: RenderSource,
  ) => Map<string, SecretValue>;
  /** Refuses what the type of the Secret does not allow. */
  readonly checkType?: (binding: Binding, data: ReadonlyMap<string, SecretValue>) => TypeFacts;
};

/**
 * Loads what the binding's rules need, once per process. JMESPath and LiquidJS together are larger than everything that
 * a plain binding needs of this folder, so a function whose bindings are plain never reads them from disk.
 */
export async function loadRenderers({ sources, type }: Binding): Promise<Renderers> {
  const isTyped = CHECKED_TYPES.has(type);
  if (!sources.some(({ keys }) => isComposed(keys))) {
    return isTyped ? { checkType: (await import("./check-type.ts")).checkType } : NONE;
  }
  const ways = sources.flatMap(({ keys }) => (keys.kind === "composed" ? Object.values(keys.keys) : []));
  const [{ composeData }, expressions, templates, types] = await Promise.all([
    import("./compose-data.ts"),
    ways.some((way) => "jmespath" in way) ? import("../expressions/jmespath.ts") : undefined,
    ways.some((way) => "template" in way) ? import("../expressions/liquid.ts") : undefined,
    isTyped ? import("./check-type.ts") : undefined,
  ]);
  return {
    composeData: composeData({ ...expressions, ...templates }),
    ...(types && { checkType: types.checkType }),
  };
}

const NONE: Renderers = {};

const CHECKED_TYPES: ReadonlySet<string> = new Set(
  "basic-auth dockercfg dockerconfigjson ssh-auth tls".split(" ").map((name) => `kubernetes.io/${name}`),
);
