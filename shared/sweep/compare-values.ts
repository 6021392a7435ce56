import type { Binding, BoundSource } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError } from "../relay-error.ts";
import { RenderError } from "../render/errors.ts";
import { loadRenderers } from "../render/load-renderers.ts";
import { type DesiredSecret, renderSecret } from "../render/render-secret.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import { SourceNotFound, SourceScheduledForDeletion } from "../source/errors.ts";
import type { CurrentSource } from "../source/read-current.ts";
import type { SourceRead } from "../source/read-many.ts";
import { expiryOf } from "../sync/expiry-of.ts";
import { keyChanges } from "../sync/key-changes.ts";
import { type Change, type Plan, planTarget } from "../sync/plan.ts";
import { diagnoseTarget, FINDING_BY_REFUSAL, type KnownSource } from "./diagnose.ts";
import { sighting } from "./find-by-metadata.ts";
import type { Diagnosis, TamperedField } from "./finding.ts";
import type { ShardRequest, Sighting } from "./look.ts";
import type { Remark } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/** What a comparison found, and what the values told besides. */
export type Compared = { readonly sighting?: Sighting; readonly remark?: Remark };

/** One target with what its sources hold. Throws an error of ours where one of them could not be read. */
export async function compareValues(
  deps: SweepDependencies,
  request: ShardRequest,
  seen: {
    readonly item: SweepItem;
    readonly live: LiveSecret | undefined;
    readonly reads: ReadonlyMap<string, SourceRead>;
  },
): Promise<Compared> {
  const { item, live, reads } = seen;
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
  const sight = (diagnosis: Diagnosis): Sighting => sighting(diagnosis, { item, live, sources });
  if (current.length < sources.length) return byMetadata === undefined ? {} : { sighting: sight(byMetadata) };

  const made = await renderOrError(binding, current);
  const plan = made instanceof RenderError ? undefined : planTarget(live, made, binding);
  const remark = made instanceof RenderError ? undefined : remarkOn(binding, made, deps.now());
  const diagnosis = diagnose(binding, { byMetadata, made, plan });
  return { ...(diagnosis && { sighting: sight(diagnosis) }), ...(remark && { remark }) };
}

async function renderOrError(
  binding: Binding,
  current: readonly CurrentSource[],
): Promise<DesiredSecret | RenderError> {
  try {
    return renderSecret(binding, current, await loadRenderers(binding));
  } catch (error) {
    if (error instanceof RenderError) return error;
    throw error;
  }
}

function remarkOn(binding: Binding, desired: DesiredSecret, now: number): Remark | undefined {
  const told = { ...expiryOf(desired, now), ...(desired.collisions && { collisions: desired.collisions }) };
  if (Object.keys(told).length === 0) return undefined;
  return { target: binding.target, source: nameOfSources(binding), ...told };
}

/** What metadata tell comes first; the values say what a repair would change. */
function diagnose(
  binding: Binding,
  {
    byMetadata,
    made,
    plan,
  }: {
    readonly byMetadata: Diagnosis | undefined;
    readonly made: DesiredSecret | RenderError;
    readonly plan: Plan | undefined;
  },
): Diagnosis | undefined {
  // Of a deprecated version the values can be compared as well.
  if (byMetadata !== undefined && byMetadata.code !== "VERSION_DEPRECATED") {
    const isRepaired = byMetadata.remedy === "repair" && plan !== undefined && "changes" in plan;
    if (!isRepaired) return byMetadata;
    return { ...byMetadata, details: { ...byMetadata.details, changes: keyChanges(plan.changes) } };
  }
  const common = { target: binding.target, source: nameOfSources(binding) };
  if (made instanceof RenderError) {
    const { code: cause, message: advice } = made;
    return {
      ...common,
      code: "UNRENDERABLE",
      details: { cause },
      remedy: "none",
      refusal: { code: cause, advice },
    };
  }
  if (plan === undefined || plan.kind === "leave") return byMetadata;
  if (plan.kind === "refuse") {
    const { code, advice } = plan;
    return {
      ...common,
      code: FINDING_BY_REFUSAL[code],
      details: {},
      remedy: "none",
      refusal: { code, advice },
    };
  }
  const { changes } = plan;
  const details = { fields: changes.map(fieldOfChange), changes: keyChanges(changes) };
  return { ...common, code: "VALUE_DIFFERS", details, remedy: "repair" };
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
