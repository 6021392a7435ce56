import type { Binding, CompiledBindings } from "../shared/bindings/binding.ts";
import { fingerprintOf } from "../shared/bindings/fingerprint.ts";
import { loadBindings } from "../shared/bindings/load-bindings.ts";

/** As many bindings as wanted, each of another source. */
export function manyBindings(count: number, cluster: object): CompiledBindings {
  const file = {
    version: 1,
    clusters: { main: cluster },
    bindings: [{ source: sourceName(0), targets: [{ namespace: "app-0", name: "db-0" }] }],
  };
  const compiled = loadBindings(JSON.stringify(file), "bench");
  const [first] = compiled.bindings;
  if (first === undefined) throw new Error("The file has a binding");
  return { ...compiled, bindings: Array.from({ length: count }, (_, index) => bindingOf(first, index)) };
}

/** Compiled from the first one: the parser of YAML would take longer than the bench. */
function bindingOf(first: Binding, index: number): Binding {
  const [source] = first.sources;
  const binding: Binding = {
    ...first,
    sources: [{ ...source, id: sourceName(index), names: [sourceName(index)] }],
    target: { ...first.target, namespace: `app-${Math.floor(index / 200)}`, name: `db-${index}` },
  };
  return { ...binding, fingerprint: fingerprintOf(binding) };
}

const sourceName = (index: number): string => `prod/team-${index % 7}/db-${index}`;
