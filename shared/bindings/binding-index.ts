import { type RelayMarks, relayMarks } from "../identity/relay-identity.ts";
import { lookupNames, referencesMayMatch } from "../secret-id/references-may-match.ts";
import type { SecretHome, SecretReference } from "../secret-id/secret-id.ts";
import type { Binding, ClusterConfig, CompiledBindings } from "./binding.ts";

/** All bindings of one source, as the source is written; a binding of several sources is with each of them. */
export type SourceBindings = { readonly source: SecretReference; readonly bindings: readonly Binding[] };

export type BindingIndex = {
  /** By which the relay of these bindings recognises its Secrets. */
  readonly marks: RelayMarks;
  /** By the key that `target.cluster` holds. */
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  /** Every binding once, in the file's order. */
  readonly bindings: readonly Binding[];
  /** Every source of the file, in the file's order. */
  readonly sources: readonly SourceBindings[];
  /**
   * The sources that `seen` may name. More than one when a secret is bound under two spellings, or when the ARN can
   * be read in two ways; none when it is not bound.
   */
  find(seen: SecretReference): readonly SourceBindings[];
  /** The sources of the bindings that state this webhook id; several bindings may share one. */
  findByWebhookId(webhookId: string): readonly SourceBindings[];
};

/** `self` is the account and Region of the functions: where a bare name lives. */
export function createBindingIndex(
  { relay, clusters, bindings }: CompiledBindings,
  self: SecretHome,
): BindingIndex {
  const sources = groupBySource(bindings);
  const byName = new Map<string, SourceBindings[]>();
  for (const group of sources) {
    for (const name of new Set(lookupNames(group.source))) {
      const namesakes = byName.get(name);
      if (namesakes === undefined) byName.set(name, [group]);
      else namesakes.push(group);
    }
  }

  const find = (seen: SecretReference): readonly SourceBindings[] => {
    const candidates = new Set(lookupNames(seen).flatMap((name) => byName.get(name) ?? []));
    return [...candidates].filter(({ source }) => referencesMayMatch(source, seen, self));
  };
  const findByWebhookId = (webhookId: string): readonly SourceBindings[] =>
    sources.filter(({ bindings }) => bindings.some((binding) => binding.webhookId === webhookId));
  const marks = relayMarks({ ...self, name: relay });
  return { marks, clusters, bindings, sources, find, findByWebhookId };
}

/** A function learns its account and Region from its first invocation, and they are the same ever after. */
export function indexOncePerHome(compiled: CompiledBindings): (self: SecretHome) => BindingIndex {
  const indexes = new Map<string, BindingIndex>();
  return (self) => {
    const key = `${self.partition}|${self.region}|${self.accountId}`;
    const index = indexes.get(key) ?? createBindingIndex(compiled, self);
    indexes.set(key, index);
    return index;
  };
}

function groupBySource(bindings: readonly Binding[]): readonly SourceBindings[] {
  const groups = new Map<string, { source: SecretReference; bindings: Binding[] }>();
  for (const binding of bindings) {
    for (const { keys: _keys, stage: _stage, versionId: _versionId, ...source } of binding.sources) {
      const group = groups.get(source.id);
      if (group === undefined) groups.set(source.id, { source, bindings: [binding] });
      else if (group.bindings.at(-1) !== binding) group.bindings.push(binding);
    }
  }
  return [...groups.values()];
}
