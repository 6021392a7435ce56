import type { Binding } from "../bindings/binding.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { parseSecretReference } from "../source/parse-secret-reference.ts";
import { referencesMayMatch } from "../source/references-may-match.ts";
import type { SourceState } from "../source/source-state.ts";
import { type FindingCode, REFUSALS } from "./catalogue.ts";
import { isManagedBy } from "./check-owner.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** A source from which no value can be taken. The first kind in this order that any source has is the finding. */
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
  const concerned = binding.sources.filter((_source, index) => sources[index]?.kind === kind);
  const source = [...new Set(concerned.map(({ id }) => id))].join(", ");
  if (live.kind === "found" && isDeletable(binding, live.secret, sources, rules)) {
    return verdictOn(observation, { source, finding, ...deletionVerdict(live.secret, rules) });
  }
  return verdictOn(observation, {
    source,
    finding,
    action: "refuse",
    code: finding,
    advice: REFUSALS[finding],
  });
}

/**
 * Gone means that Secrets Manager has none of the sources any more, and that they are the ones which the Secret was
 * made from: a source that is misspelt in a new version of the bindings was never there.
 */
function isDeletable(
  binding: Binding,
  live: LiveMetadata,
  sources: readonly SourceState[],
  { marks }: AssessRules,
): boolean {
  return (
    binding.deletionPolicy === "delete" &&
    binding.ownership !== "keys" &&
    sources.every(({ kind }) => kind === "missing") && // what the other sources hold is still wanted
    isManagedBy(live, marks) &&
    isMadeFrom(binding, live, marks)
  );
}

function isMadeFrom({ sources }: Binding, live: LiveMetadata, marks: AssessRules["marks"]): boolean {
  const noted = (live.annotations[marks.annotations.source] ?? "").split(",");
  if (noted.length !== sources.length) return false;
  return sources.every((source, index) => {
    const arn = parseSecretReference(noted[index] ?? "", "full-arn");
    return arn !== undefined && referencesMayMatch(source, arn, marks.self);
  });
}

/** Two looks, at least the grace period apart: the first one is noted on the Secret, the second one deletes it. */
export function deletionVerdict(
  live: LiveMetadata,
  { marks, now, deletionGraceMs }: AssessRules,
): Pick<Verdict, "action" | "deleteAfter" | "note"> {
  const goneSince = Date.parse(live.annotations[marks.annotations.goneSince] ?? "");
  const writtenAt = Date.parse(live.annotations[marks.annotations.writtenAt] ?? "");
  // A write after the note means that source and binding were there again.
  const isNoted = goneSince <= now && !(writtenAt > goneSince);
  const after = (isNoted ? goneSince : now) + deletionGraceMs;
  if (isNoted && now >= after) return { action: "delete" };
  return {
    action: "none",
    deleteAfter: new Date(after).toISOString(),
    ...(!isNoted && { note: "gone" as const }),
  };
}

/** The Secret is in order, but its pinned version may disappear. */
export function checkVersion(observation: Observation): Verdict | undefined {
  const { binding, sources } = observation;
  const index = sources.findIndex((state) => state.kind === "current" && state.isDeprecated === true);
  const source = binding.sources[index];
  return (
    source && verdictOn(observation, { source: source.id, finding: "VERSION_DEPRECATED", action: "none" })
  );
}
