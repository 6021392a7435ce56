import type { Binding, NamedKeys } from "../bindings/binding.ts";
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
  /** Makes the keys of the binding of its named sources. */
  readonly composeNamed?: (
    binding: Binding,
    keys: NamedKeys,
    named: ReadonlyMap<string, RenderSource>,
  ) => Map<string, SecretValue>;
  /** Refuses data that the Secret's type does not allow, and mends what its readers would refuse. */
  readonly checkType?: (binding: Binding, data: ReadonlyMap<string, SecretValue>) => CheckedType;
};

/**
 * Loads the parts that a binding needs, once per process. JMESPath and LiquidJS are larger than the rest of this folder,
 * so a function with plain bindings never reads them from disk.
 */
export async function loadRenderers({ sources, namedKeys, type }: Binding): Promise<Renderers> {
  const isTyped = CHECKED_TYPES.has(type);
  if (namedKeys === undefined && !sources.some(({ keys }) => isComposed(keys))) {
    return isTyped ? { checkType: (await import("./check-type.ts")).checkType } : NONE;
  }
  const ways = [
    ...Object.values(namedKeys ?? {}),
    ...sources.flatMap(({ keys }): readonly object[] => {
      if (keys.kind === "composed") return Object.values(keys.keys);
      return keys.kind === "extracted" && keys.jmespath !== undefined ? [keys] : [];
    }),
  ];
  const [{ composeData, composeNamed }, expressions, templates, types] = await Promise.all([
    import("./compose-data.ts"),
    ways.some((way) => "jmespath" in way) ? import("../bindings/expressions/jmespath.ts") : undefined,
    ways.some((way) => "template" in way) ? import("../bindings/expressions/liquid.ts") : undefined,
    isTyped ? import("./check-type.ts") : undefined,
  ]);
  return {
    composeData: composeData({ ...expressions, ...templates }),
    composeNamed: composeNamed({ ...expressions, ...templates }),
    ...(types && { checkType: types.checkType }),
  };
}

const NONE: Renderers = {};

const CHECKED_TYPES: ReadonlySet<string> = new Set(
  "basic-auth dockercfg dockerconfigjson ssh-auth tls".split(" ").map((name) => `kubernetes.io/${name}`),
);
