import { lookupNames, referencesMayMatch } from "../source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../source/secret-id.ts";
import type { Binding, ClusterConfig, CompiledBindings } from "./binding.ts";
import { type RelayMetadata, relayMetadata } from "./relay-identity.ts";

/** The bindings of one source, by its spelling; a binding of several sources is listed under each of them. */
export type SourceBindings = { readonly source: SecretReference; readonly bindings: readonly Binding[] };

export type BindingIndex = {
  /** The metadata by which the relay of these bindings recognises its Secrets. */
  readonly ownMetadata: RelayMetadata;
  /** By `target.cluster`. */
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  /** Every binding once, in the file's order. */
  readonly bindings: readonly Binding[];
  /** Every source of the file, in the file's order. */
  readonly sources: readonly SourceBindings[];
  /**
   * The sources that the reference may name: several if a secret is bound under two spellings or the ARN can be read in
   * two ways.
   */
  find(reference: SecretReference): readonly SourceBindings[];
  /** The sources of the bindings with this webhook id; several bindings may share one. */
  findByWebhookId(webhookId: string): readonly SourceBindings[];
};

/** `self` is the account and Region of the functions, which locates bare names. */
export function createBindingIndex(
  { relay, clusters, bindings }: CompiledBindings,
  self: AwsLocation,
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

  const find = (reference: SecretReference): readonly SourceBindings[] => {
    const candidates = new Set(lookupNames(reference).flatMap((name) => byName.get(name) ?? []));
    return [...candidates].filter(({ source }) => referencesMayMatch(source, reference, self));
  };
  const findByWebhookId = (webhookId: string): readonly SourceBindings[] =>
    sources.filter(({ bindings }) => bindings.some((binding) => binding.webhookId === webhookId));
  const ownMetadata = relayMetadata({ ...self, name: relay });
  return { ownMetadata, clusters, bindings, sources, find, findByWebhookId };
}

/** A function learns its account and Region from its first invocation, and they never change. */
export function indexPerLocation(compiled: CompiledBindings): (self: AwsLocation) => BindingIndex {
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
