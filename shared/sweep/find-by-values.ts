import type { BoundSource } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError } from "../relay-error.ts";
import { RenderError } from "../render/errors.ts";
import { loadRenderers } from "../render/load-renderers.ts";
import { renderSecret } from "../render/render-secret.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import { SourceNotFound, SourceScheduledForDeletion } from "../source/errors.ts";
import type { CurrentSource } from "../source/read-current.ts";
import type { SourceRead } from "../source/read-many.ts";
import { type Change, planTarget } from "../sync/plan.ts";
import { atOnce } from "./at-once.ts";
import { diagnoseTarget, FINDING_BY_REFUSAL, type KnownSource } from "./diagnose.ts";
import { sighting, uncheckedBy } from "./find-by-metadata.ts";
import type { Diagnosis, FindingCode, FindingDetails, TamperedField } from "./finding.ts";
import type { Look, Restartable, ShardRequest, Sighting } from "./look.ts";
import { restartableOf } from "./make-up-restarts.ts";
import type { InOrder, Unchecked } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { inOrderOf } from "./take-inventory.ts";

/** Looks at one piece of a shard by comparing values: it also finds what forged metadata hides. */
export async function findDriftByValues(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  piece: readonly SweepItem[],
): Promise<Look> {
  // The live Secrets first, then the sources, as in the fence: a rotation in between makes drift, never hides it.
  const lives = await atOnce(deps, piece, async (item) => {
    try {
      return { item, live: await cluster.readSecret(item.binding.target, request.budget) };
    } catch (error) {
      return { item, unchecked: uncheckedBy(item.binding, error) };
    }
  });
  const readable = lives.flatMap((entry) => ("unchecked" in entry ? [] : entry.item.binding.sources));
  const sources = [...new Map(readable.map((source) => [keyOfSource(source), source])).values()];
  const reads = await deps.readMany(sources, request.budget);
  const restartable: Restartable[] = [];
  const inOrder: InOrder[] = [];
  const seen = await atOnce(deps, lives, async (entry): Promise<Sighting | Unchecked | undefined> => {
    if ("unchecked" in entry) return entry.unchecked;
    const { item, live } = entry;
    try {
      const sighting = await compare(deps, request, { item, live, reads });
      if (sighting === undefined) restartable.push(...restartableOf(item, live));
      if (sighting === undefined && request.inventory) inOrder.push(inOrderOf(item.binding, live));
      return sighting;
    } catch (error) {
      return uncheckedBy(item.binding, error);
    }
  });
  return {
    diagnoses: seen.filter((each) => each !== undefined && "diagnosis" in each),
    unchecked: seen.filter((each) => each !== undefined && "advice" in each),
    unseen: [],
    restartable,
    inOrder,
  };
}

async function compare(
  deps: SweepDependencies,
  request: ShardRequest,
  {
    item,
    live,
    reads,
  }: { item: SweepItem; live: LiveSecret | undefined; reads: ReadonlyMap<string, SourceRead> },
): Promise<Sighting | Unchecked | undefined> {
  const { binding } = item;
  const sources: KnownSource[] = [];
  const current: CurrentSource[] = [];
  for (const source of binding.sources) {
    const read = reads.get(keyOfSource(source));
    if (read === undefined) throw new TypeError("A source of the piece was not read");
    if (!(read instanceof RelayError)) current.push(read);
    sources.push(await stateAfter(deps, request, source, read));
  }
  const byMetadata = diagnoseTarget(binding, live, sources, deps.now());
  // Of a deprecated version the values can be compared as well.
  if (byMetadata !== undefined && byMetadata.code !== "VERSION_DEPRECATED") {
    return sighting(byMetadata, { item, live, sources });
  }
  const asFound = byMetadata && sighting(byMetadata, { item, live, sources });
  if (current.length < sources.length) return asFound;
  const found = (code: FindingCode, details: FindingDetails, refusal?: Diagnosis["refusal"]): Sighting => {
    const common = { code, target: binding.target, source: nameOfSources(binding), details };
    const diagnosis: Diagnosis =
      refusal === undefined ? { ...common, remedy: "repair" } : { ...common, remedy: "none", refusal };
    return sighting(diagnosis, { item, live, sources });
  };
  try {
    const plan = planTarget(live, renderSecret(binding, current, await loadRenderers(binding)), binding);
    if (plan.kind === "leave") return asFound;
    if (plan.kind === "refuse") {
      const { code, advice } = plan;
      return found(FINDING_BY_REFUSAL[code], {}, { code, advice });
    }
    const fields = "changes" in plan ? plan.changes.map(fieldOfChange) : [];
    return found("VALUE_DIFFERS", { fields });
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const { code, message: advice } = error;
    return found("UNRENDERABLE", { cause: code }, { code, advice });
  }
}

/** What a read tells of its source, or DescribeSecret where the read found nothing. */
async function stateAfter(
  deps: SweepDependencies,
  request: ShardRequest,
  source: BoundSource,
  read: SourceRead,
): Promise<KnownSource> {
  if (!(read instanceof RelayError)) {
    const { versionId, isDeprecated } = read;
    return { kind: "current", versionId, ...(isDeprecated && { isDeprecated }) };
  }
  const isGone = read instanceof SourceNotFound || read instanceof SourceScheduledForDeletion;
  if (!isGone) throw read;
  const state = await deps.catalog.describe(source, request.budget);
  if (state.kind === "unreadable") throw read;
  // It is no longer there to be read, and its secret is.
  return source.versionId !== undefined && state.kind === "current" ? { kind: "version-missing" } : state;
}

/** From what an apply would do to what was done to the Secret. */
function fieldOfChange({ field, what }: Change): TamperedField {
  return { field, what: what === "added" ? "removed" : what === "taken back" ? "taken" : "changed" };
}
