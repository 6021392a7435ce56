import { stringify } from "yaml";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import type { BindingEntry } from "../../shared/bindings/bindings-file.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";

type Cluster = { readonly key: string; readonly name: string; readonly region: string };

/** The content of bindings.yaml. */
export const bindingsContent = ({ key, name, region }: Cluster, bindings: readonly object[]): object => ({
  version: 1,
  clusters: { [key]: { name, region } },
  defaults: { adopt: true },
  bindings,
});

/** The problems that the relay's own check finds, so that every converted binding can be published. */
export function refusalsOf(entry: BindingEntry, cluster: Cluster): string[] {
  try {
    loadBindings(stringify(bindingsContent(cluster, [entry])), "binding");
    return [];
  } catch (error) {
    if (!(error instanceof BindingsError)) throw error;
    return error.problems.map(({ message, fix }) => `${message}. ${fix}`);
  }
}
