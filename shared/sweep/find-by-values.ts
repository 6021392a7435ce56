import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError } from "../relay-error.ts";
import { RenderError } from "../render/errors.ts";
import { loadRenderers } from "../render/load-renderers.ts";
import { renderSecret } from "../render/render-secret.ts";
import { SourceNotFound, SourceScheduledForDeletion } from "../source/errors.ts";
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
  const readable = lives.flatMap((entry) => ("unchecked" in entry ? [] : [entry.item.binding.source]));
  const sources = [...new Map(readable.map((source) => [source.id, source])).values()];
  const reads = await deps.readMany(sources, request.budget);
  const restartable: Restartable[] = [];
  const inOrder: InOrder[] = [];
  const seen = await atOnce(deps, lives, async (entry): Promise<Sighting | Unchecked | undefined> => {
    if ("unchecked" in entry) return entry.unchecked;
    const { item, live } = entry;
    const read = reads.get(item.binding.source.id);
    try {
      const sighting = await compare(deps, request, { item, live, read });
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
  { item, live, read }: { item: SweepItem; live: LiveSecret | undefined; read: SourceRead | undefined },
): Promise<Sighting | Unchecked | undefined> {
  const { binding } = item;
  if (read === undefined) throw new TypeError("A source of the piece was not read");
  if (read instanceof SourceNotFound || read instanceof SourceScheduledForDeletion) {
    const source = await deps.catalog.describe(binding.source, request.budget);
    if (source.kind === "unreadable") throw read;
    const diagnosis = diagnoseTarget(binding, live, source, deps.now());
    return diagnosis && sighting(diagnosis, { item, live, source });
  }
  if (read instanceof RelayError) throw read;

  const source: KnownSource = { kind: "current", versionId: read.versionId };
  const byMetadata = diagnoseTarget(binding, live, source, deps.now());
  if (byMetadata !== undefined) return sighting(byMetadata, { item, live, source });
  const found = (code: FindingCode, details: FindingDetails, refusal?: Diagnosis["refusal"]): Sighting => {
    const { target, source: bound } = binding;
    const common = { code, target, source: bound.id, details };
    const diagnosis: Diagnosis =
      refusal === undefined ? { ...common, remedy: "repair" } : { ...common, remedy: "none", refusal };
    return sighting(diagnosis, { item, live, source });
  };
  try {
    const plan = planTarget(live, renderSecret(binding, read, await loadRenderers(binding)), binding);
    if (plan.kind === "leave") return undefined;
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

/** From what an apply would do to what was done to the Secret. */
function fieldOfChange({ field, what }: Change): TamperedField {
  return { field, what: what === "added" ? "removed" : what === "taken back" ? "taken" : "changed" };
}
