import type { Binding, CompiledBindings } from "../../../shared/bindings/binding.ts";
import { loadBindings } from "../../../shared/bindings/load-bindings.ts";
import { splitIntoParts } from "../../../shared/bindings/published/split-into-parts.ts";
import type { RelayMetadata } from "../../../shared/bindings/relay-identity.ts";
import type { Random } from "../random.ts";
import type { SecretName } from "./world.ts";

/** A Kubernetes Secret whose binding publishers add, change and remove. */
export type ChangingTarget = SecretName & {
  readonly cluster: string;
  readonly ownMetadata: RelayMetadata;
  /** Never deleted. */
  readonly source: string;
};

/** The rules of its binding. */
export type Rule = {
  /** The data key for the password; absent: all keys of the source under their own names. */
  readonly dataKey?: string;
  readonly type: string;
  readonly team?: string;
  readonly deletionPolicy: "delete" | "retain";
};

/** By target. A target without a rule has no binding. */
export type Choices = ReadonlyMap<ChangingTarget, Rule>;

/** What one generation says about the changing targets. */
export type Generation = {
  readonly choices: Choices;
  readonly fingerprints: ReadonlyMap<ChangingTarget, string>;
};

/** The bindings of one relay: most stay the same, some are changed by publishers. */
export class RelayBindings {
  readonly targets: readonly ChangingTarget[];
  readonly #fixed: CompiledBindings;
  readonly #compiled = new Map<string, Binding>();
  readonly #byParts = new Map<string, Generation>();

  constructor(fixed: CompiledBindings, targets: readonly ChangingTarget[]) {
    this.#fixed = fixed;
    this.targets = targets;
  }

  get relay(): string {
    return this.#fixed.relay;
  }

  /** The bindings that never change. */
  get fixed(): readonly Binding[] {
    return this.#fixed.bindings;
  }

  compile(choices: Choices): CompiledBindings {
    const changing = new Map(
      [...choices].map(([target, rule]) => [target, this.#compileOne(target, rule)] as const),
    );
    const compiled = { ...this.#fixed, bindings: [...this.#fixed.bindings, ...changing.values()] };
    const fingerprints = new Map([...changing].map(([target, { fingerprint }]) => [target, fingerprint]));
    this.#byParts.set(splitIntoParts(compiled).content.parts.join(), { choices, fingerprints });
    return compiled;
  }

  /** Of a pointer: the same parts are the same bindings. */
  generationOf({ parts }: { readonly parts: readonly string[] }): Generation {
    const known = this.#byParts.get(parts.join());
    if (known === undefined) throw new TypeError("A pointer to bindings that nobody has compiled");
    return known;
  }

  #compileOne(target: ChangingTarget, rule: Rule): Binding {
    const { cluster, namespace, name, source } = target;
    const { dataKey, team, type, deletionPolicy } = rule;
    const entry = {
      source,
      type,
      deletionPolicy,
      ...(dataKey !== undefined && { keys: { [dataKey]: "password" } }),
      ...(team !== undefined && { labels: { team } }),
      targets: [{ cluster, namespace, name }],
    };
    const file = { version: 1, relay: this.relay, clusters: this.#fixed.clusters, bindings: [entry] };
    const text = JSON.stringify(file);
    const known = this.#compiled.get(text) ?? loadBindings(text, "bindings.yaml").bindings[0];
    if (known === undefined) throw new TypeError("A binding of one target is one binding");
    this.#compiled.set(text, known);
    return known;
  }
}

export function drawRule(random: Random): Rule {
  const drawn = random.below(3);
  return {
    ...(drawn > 0 && { dataKey: drawn === 1 ? "password" : "secret" }),
    type: random.chance(0.15) ? "example.com/other" : "Opaque",
    ...(random.chance(0.5) && { team: random.pick(["red", "blue"]) }),
    deletionPolicy: random.chance(0.7) ? "delete" : "retain",
  };
}

/** One to three targets get a rule, another rule, or none. */
export function changeChoices(before: Choices, targets: readonly ChangingTarget[], random: Random): Choices {
  const after = new Map(before);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const target = random.pick(targets);
    if (after.has(target) && random.chance(0.4)) after.delete(target);
    else after.set(target, drawRule(random));
  }
  return after;
}
