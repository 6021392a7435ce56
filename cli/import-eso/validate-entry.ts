import { stringify } from "yaml";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import type { BindingEntry } from "../../shared/bindings/bindings-file.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";

/** Why the relay would not take a binding, as its own check says: nothing is handed out that the build refuses. */
export function refusalsOf(
  entry: BindingEntry,
  cluster: { readonly key: string; readonly name: string; readonly region: string },
): string[] {
  const file = {
    version: 1,
    clusters: { [cluster.key]: { name: cluster.name, region: cluster.region } },
    defaults: { adopt: true },
    bindings: [entry],
  };
  try {
    loadBindings(stringify(file), "binding");
    return [];
  } catch (error) {
    if (!(error instanceof BindingsError)) throw error;
    return error.problems.map(({ message, fix }) => `${message}. ${fix}`);
  }
}
