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

/** A check returns a verdict when it applies. The first one that applies is the verdict on the target. */
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
 * The finding on a target and the action of the relay. Pure: no clock, no network. Functions, sweeps and commands all
 * decide here, so that they never contradict each other.
 */
export function assess(observation: Observation, rules: AssessRules): Verdict {
  let verdict: Verdict | undefined;
  for (const check of CHECKS) verdict ??= check(observation, rules);
  verdict = withNote(
    verdict ?? verdictOn(observation, { finding: null, action: "none" }),
    observation,
    rules,
  );
  return observation.live.kind === "found" ? withHold(verdict, observation.live.secret, rules) : verdict;
}

/** A Secret of this relay that no binding names; undefined when it does not belong to the relay. */
export function assessOrphan(cluster: string, live: LiveMetadata, rules: AssessRules): Verdict | undefined {
  const { ownMetadata } = rules;
  if (!isManagedBy(live, ownMetadata) || live.isBeingDeleted) return undefined;
  const common = {
    target: { cluster, namespace: live.namespace, name: live.name },
    source: sanitizeName(live.annotations[ownMetadata.annotations.source] ?? "", SOURCES_LENGTH_MAX),
    finding: "ORPHAN",
    observed: "metadata",
    details: {},
  } as const;
  const isDeletable = live.annotations[ownMetadata.annotations.deletionPolicy] === "delete";
  const decision = isDeletable ? deletionVerdict(live, rules) : { action: "none" as const };
  return withHold({ ...common, ...decision }, live, rules);
}

/** Room for the ARNs of about ten sources. */
const SOURCES_LENGTH_MAX = 2_048;

/** An unknown target is neither in order nor absent. */
function checkUnknown(observation: Observation): Verdict | undefined {
  const { live, sources, binding } = observation;
  if (live.kind === "unknown") {
    const { code, advice, retryable } = live;
    // The Secret was read, but two entries under `clusters` name its cluster.
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
function withHold(verdict: Verdict, live: LiveMetadata, { now }: AssessRules): Verdict {
  const until = heldUntil(live, now);
  if (until === undefined) return verdict;
  const { write: _write, note: _note, deleteAfter: _deleteAfter, retryable: _retryable, ...rest } = verdict;
  const refusal = { action: "refuse", code: "HELD", advice: REFUSALS.HELD } as const;
  return { ...rest, ...refusal, until: new Date(until).toISOString() };
}

/** The source or binding is back, so a sweep removes the annotation, which restarts the grace period. */
function withNote(verdict: Verdict, { live }: Observation, { ownMetadata }: AssessRules): Verdict {
  if (live.kind !== "found" || verdict.action === "unknown") return verdict;
  const isNoted = live.secret.annotations[ownMetadata.annotations.goneSince] !== undefined;
  const isGone = verdict.deleteAfter !== undefined || verdict.action === "delete";
  return isNoted && !isGone && isManagedBy(live.secret, ownMetadata)
    ? { ...verdict, note: "returned" }
    : verdict;
}
