import type { TimeBudget } from "../../runtime/time-budget.ts";
import type { AwsLocation } from "../../source/secret-id.ts";
import type { Binding, TargetRef } from "../binding.ts";
import { type BindingIndex, createBindingIndex } from "../binding-index.ts";
import { compareGenerations, type ReadBindings } from "./compare-generations.ts";
import { RulesSuperseded } from "./errors.ts";
import { POINTER_KEY, type Pointer, parsePointer } from "./pointer.ts";
import type { RulesStore } from "./rules-store.ts";

/** From the generation before a publication to the rules in force, which may be newer than the publication. */
export type Changes = {
  /** The generation before the publication; 0 before the first. */
  readonly since: number;
  /** The bindings that were added or changed, or whose cluster was. */
  readonly index: BindingIndex;
  /** Targets that are no longer bound. */
  readonly removed: readonly TargetRef[];
};

/**
 * The changes from the generation before a publication to the rules in force.
 *
 * An event names its publication by S3's version of the pointer, and that pointer names the version that it replaced. So
 * late, repeated and reordered events each cover their own publication, and every later one up to these rules. Undefined
 * if the bucket no longer has these versions.
 */
export async function readChanges(
  { pointer: now, readObject, readParts }: RulesStore,
  /** S3's version of its pointer. */
  publication: string,
  self: AwsLocation,
  budget: TimeBudget,
): Promise<Changes | undefined> {
  const readVersion = async (versionId: string): Promise<Pointer | undefined> => {
    const answer = await readObject({ key: POINTER_KEY, versionId }, budget);
    return answer.kind === "object" ? parsePointer(answer.body) : undefined;
  };
  const before = await generationBefore(publication, now, readVersion);
  if (before === undefined) return undefined;
  const read: ReadBindings = async (pointer, isWanted) => {
    const numbers = pointer.parts.flatMap((hash, number) => (isWanted(hash) ? [number] : []));
    return { clusters: pointer.clusters, bindings: await readParts(pointer, numbers, budget) };
  };
  const { added, changed, removed, clusters } = await compareGenerations(read, before, now);
  const own = [...added, ...changed.map(({ after }) => after)];
  const bindings =
    clusters.changed.length === 0 ? own : await withClusters(read, now, own, new Set(clusters.changed));
  return {
    since: before.generation,
    index: createBindingIndex({ version: 1, relay: now.relay, clusters: now.clusters, bindings }, self),
    // Without its cluster, a Secret cannot be reached.
    removed: removed.flatMap(({ target }) => (Object.hasOwn(now.clusters, target.cluster) ? [target] : [])),
  };
}

/** Undefined if the bucket no longer has it, or never knew it. */
async function generationBefore(
  publication: string,
  now: Pointer,
  readVersion: (versionId: string) => Promise<Pointer | undefined>,
): Promise<Pointer | undefined> {
  const published = await readVersion(publication);
  if (published === undefined) return undefined;
  const { generation, previousVersion } = published;
  // The known rules are older than the publication: S3 did not answer for the pointer in force.
  if (generation > now.generation) throw new RulesSuperseded();
  if (generation === 1) return { ...published, generation: 0, clusters: {}, parts: [] };
  const before = previousVersion === undefined ? undefined : await readVersion(previousVersion);
  return before?.generation === generation - 1 ? before : undefined;
}

/** Also all bindings of clusters whose entry changed: the Secrets may be elsewhere now. */
async function withClusters(
  read: ReadBindings,
  now: Pointer,
  changed: readonly Binding[],
  clusters: ReadonlySet<string>,
): Promise<readonly Binding[]> {
  const { bindings } = await read(now, () => true);
  const others = bindings.filter(({ target }) => clusters.has(target.cluster));
  return [...others, ...changed.filter(({ target }) => !clusters.has(target.cluster))];
}
