import type { Binding } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { toldName } from "../cluster/told-name.ts";
import { ANNOTATIONS } from "../render/ownership-marks.ts";
import type { SourceState } from "../source/source-state.ts";
import type { InOrder } from "./report.ts";
import { stateOfAll } from "./state-of-all.ts";

/** A binding that is in order, as an inventory tells it: names, a version and times, never a value. */
export function inOrderOf(
  binding: Binding,
  live: LiveMetadata | undefined,
  states: readonly SourceState[] = [],
): InOrder {
  const source = states.length > 0 ? stateOfAll(states) : undefined;
  const versionId = live?.annotations[ANNOTATIONS.versionId];
  const writtenAt = asInstant(live?.annotations[ANNOTATIONS.writtenAt]);
  const sourceChangedAt = source?.kind === "current" ? asInstant(source.changedAt) : undefined;
  return {
    target: binding.target,
    source: nameOfSources(binding),
    ...(versionId !== undefined && { versionId: toldName(versionId) }),
    ...(writtenAt !== undefined && { writtenAt }),
    ...(sourceChangedAt !== undefined && { sourceChangedAt }),
  };
}

/** An annotation may hold anything: whoever may write the Secret may write it. */
function asInstant(time: string | number | undefined): string | undefined {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
