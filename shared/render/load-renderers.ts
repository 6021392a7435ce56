import type { Binding } from "../bindings/binding.ts";
import type { SecretValue } from "../source/secret-value.ts";
import type { CheckedType } from "./check-type.ts";
import { type ComposedRule, isComposed } from "./is-composed.ts";
import type { RenderSource } from "./render-source.ts";

/** Lazily loaded parts of rendering. Most bindings need none. */
export type Renderers = {
  /** Makes the data of a source with a ComposedRule. */
  readonly composeData?: (
    binding: Binding,
    keys: ComposedRule,
    source: RenderSource,
  ) => Map<string, SecretValue>;
  /** Refuses data that the Secret's type does not allow, and mends what its readers would refuse. */
  readonly checkType?: (binding: Binding, data: ReadonlyMap<string, SecretValue>) => CheckedType;
};

/**
 * Loads the parts that a binding needs, once per process. JMESPath and LiquidJS are larger than the rest of this folder,
 * so a function with plain bindings never reads them from disk.
 */
export async function loadRenderers({ sources, type }: Binding): Promise<Renderers> {
  const isTyped = CHECKED_TYPES.has(type);
  if (!sources.some(({ keys }) => isComposed(keys))) {
    return isTyped ? { checkType: (await import("./check-type.ts")).checkType } : NONE;
  }
  const ways = sources.flatMap(({ keys }) => (keys.kind === "composed" ? Object.values(keys.keys) : []));
  const [{ composeData }, expressions, templates, types] = await Promise.all([
    import("./compose-data.ts"),
    ways.some((way) => "jmespath" in way) ? import("../bindings/expressions/jmespath.ts") : undefined,
    ways.some((way) => "template" in way) ? import("../bindings/expressions/liquid.ts") : undefined,
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
