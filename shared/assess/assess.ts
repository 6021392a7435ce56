import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { REFUSALS } from "./catalogue.ts";
import { checkDrift } from "./check-drift.ts";
import { checkForeignKeys } from "./check-foreign-keys.ts";
import { checkOwner, isManagedBy } from "./check-owner.ts";
import { checkSources, checkVersion, deletionVerdict } from "./check-sources.ts";
import { checkRendering, checkTargetExists, checkType } from "./check-target.ts";
import { heldUntil } from "./hold.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** One reason why a target is not simply in order. The first that applies is the verdict. */
export type Check = (observation: Observation, rules: AssessRules) => Verdict | undefined;

const CHECKS: readonly Check[] = [
  checkUnknown,
  checkSources,
  checkTargetExists,
  checkOwner,
  checkType,
  checkRendering,
  checkDrift,
  checkForeignKeys,
  checkVersion,
];

/**
 * What is wrong with a target and what the relay does about it. Pure: no clock, no network. Functions, sweeps and
 * every command decide here and nowhere else, so that they cannot contradict each other.
 */
export function assess(observation: Observation, rules: AssessRules): Verdict {
  const verdict = withNote(assessWithoutHold(observation, rules), observation, rules);
  return observation.live.kind === "found" ? held(verdict, observation.live.secret, rules) : verdict;
}

function assessWithoutHold(observation: Observation, rules: AssessRules): Verdict {
  for (const check of CHECKS) {
    const verdict = check(observation, rules);
    if (verdict !== undefined) return verdict;
  }
  return verdictOn(observation, { finding: null, action: "none" });
}

/** A Secret that carries this relay's marks and that no binding names; undefined when it is not the relay's. */
export function assessOrphan(cluster: string, live: LiveMetadata, rules: AssessRules): Verdict | undefined {
  const { marks } = rules;
  if (!isManagedBy(live, marks) || live.isBeingDeleted) return undefined;
  const common = {
    target: { cluster, namespace: live.namespace, name: live.name },
    source: sanitizeName(live.annotations[marks.annotations.source] ?? "", SOURCES_LENGTH_MAX),
    finding: "ORPHAN",
    observed: "metadata",
    details: {},
  } as const;
  const isDeletable = live.annotations[marks.annotations.deletionPolicy] === "delete";
  const verdict: Verdict = isDeletable
    ? { ...common, ...deletionVerdict(live, rules) }
    : { ...common, action: "none" };
  return held(verdict, live, rules);
}

/** The ARNs of some ten sources. */
const SOURCES_LENGTH_MAX = 2_048;

/** What could not be observed is neither in order nor absent. */
function checkUnknown(observation: Observation): Verdict | undefined {
  const { live, sources, binding } = observation;
  if (live.kind === "unknown") {
    const { code, advice, retryable } = live;
    // It could be read, but not by which entry of the bindings it is to be judged.
    const action = code === "CLUSTER_LISTED_TWICE" ? "refuse" : "unknown";
    return verdictOn(observation, { finding: null, action, code, advice, retryable });
  }
  const index = sources.findIndex(({ kind }) => kind === "unknown");
  const state = sources[index];
  if (state?.kind !== "unknown") return undefined;
  const { code, advice, retryable } = state;
  const source = binding.sources[index]?.id ?? nameOfSources(binding);
  return verdictOn(observation, { source, finding: null, action: "unknown", code, advice, retryable });
}

/** A hold leaves the finding visible and stops every action. */
function held(verdict: Verdict, live: LiveMetadata, { now }: AssessRules): Verdict {
  const until = heldUntil(live, now);
  if (until === undefined) return verdict;
  const { write: _write, note: _note, deleteAfter: _deleteAfter, retryable: _retryable, ...rest } = verdict;
  return {
    ...rest,
    action: "refuse",
    code: "HELD",
    advice: REFUSALS.HELD,
    until: new Date(until).toISOString(),
  };
}

/** What was noted as gone and is back: a sweep removes the note, so that the grace period starts anew. */
function withNote(verdict: Verdict, { live }: Observation, { marks }: AssessRules): Verdict {
  if (live.kind !== "found" || verdict.action === "unknown") return verdict;
  const isNoted = live.secret.annotations[marks.annotations.goneSince] !== undefined;
  const isGone = verdict.deleteAfter !== undefined || verdict.action === "delete";
  return isNoted && !isGone && isManagedBy(live.secret, marks) ? { ...verdict, note: "returned" } : verdict;
}
