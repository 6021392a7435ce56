import type { Binding } from "../bindings/binding.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { parseSecretReference } from "../source/parse-secret-reference.ts";
import { referencesMayMatch } from "../source/references-may-match.ts";
import type { SourceState } from "../source/source-state.ts";
import { type FindingCode, REFUSALS } from "./catalogue.ts";
import { isManagedBy } from "./check-owner.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** States without a value. The first one in this order that any source has is the finding. */
const GONE = [
  ["missing", "SOURCE_MISSING"],
  ["without-value", "SOURCE_WITHOUT_VALUE"],
  ["scheduled-for-deletion", "SOURCE_SCHEDULED_FOR_DELETION"],
  ["version-missing", "VERSION_MISSING"],
] as const satisfies readonly (readonly [SourceState["kind"], FindingCode])[];

export function checkSources(observation: Observation, rules: AssessRules): Verdict | undefined {
  const { binding, live, sources } = observation;
  const gone = GONE.find(([kind]) => sources.some((source) => source.kind === kind));
  if (gone === undefined) return undefined;
  const [kind, finding] = gone;
  const affected = binding.sources.filter((_source, index) => sources[index]?.kind === kind);
  const source = [...new Set(affected.map(({ id }) => id))].join(", ");
  if (live.kind === "found" && isDeletable(binding, live.secret, sources, rules)) {
    return verdictOn(observation, { source, finding, ...deletionVerdict(live.secret, rules) });
  }
  const advice = REFUSALS[finding];
  return verdictOn(observation, { source, finding, action: "refuse", code: finding, advice });
}

/**
 * Only when Secrets Manager has none of the sources any more, and the Secret was made from exactly these sources: a
 * misspelt source in new bindings never existed.
 */
function isDeletable(
  binding: Binding,
  live: LiveMetadata,
  sources: readonly SourceState[],
  { ownMetadata }: AssessRules,
): boolean {
  return (
    binding.deletionPolicy === "delete" &&
    binding.ownership !== "keys" &&
    sources.every(({ kind }) => kind === "missing") && // the values of the other sources are still needed
    isManagedBy(live, ownMetadata) &&
    isMadeFrom(binding, live, ownMetadata)
  );
}

function isMadeFrom(
  { sources }: Binding,
  live: LiveMetadata,
  ownMetadata: AssessRules["ownMetadata"],
): boolean {
  const recorded = (live.annotations[ownMetadata.annotations.source] ?? "").split(",");
  if (recorded.length !== sources.length) return false;
  return sources.every((source, index) => {
    const arn = parseSecretReference(recorded[index] ?? "", "full-arn");
    return arn !== undefined && referencesMayMatch(source, arn, ownMetadata.self);
  });
}

/** Two observations, at least the grace period apart: the first sets an annotation on the Secret, the second deletes it. */
export function deletionVerdict(
  live: LiveMetadata,
  { ownMetadata, now, deletionGraceMs }: AssessRules,
): Pick<Verdict, "action" | "deleteAfter" | "note"> {
  const goneSince = Date.parse(live.annotations[ownMetadata.annotations.goneSince] ?? "");
  const writtenAt = Date.parse(live.annotations[ownMetadata.annotations.writtenAt] ?? "");
  // A write after the annotation means that source and binding existed again.
  const isNoted = goneSince <= now && !(writtenAt > goneSince);
  const after = (isNoted ? goneSince : now) + deletionGraceMs;
  if (isNoted && now >= after) return { action: "delete" };
  return {
    action: "none",
    deleteAfter: new Date(after).toISOString(),
    ...(!isNoted && { note: "gone" as const }),
  };
}

/** The Secret is in order, but Secrets Manager may delete the pinned version. */
export function checkVersion(observation: Observation): Verdict | undefined {
  const { binding, sources } = observation;
  const index = sources.findIndex((state) => state.kind === "current" && state.isDeprecated === true);
  const source = binding.sources[index];
  return (
    source && verdictOn(observation, { source: source.id, finding: "VERSION_DEPRECATED", action: "none" })
  );
}
