import type { FindingDetails, Verdict } from "../assess/verdict.ts";
import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { dataVersionOf } from "../render/data-version.ts";
import type { SourceState } from "../source/source-state.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";
import type { PodsCheck } from "../workloads/outdated-pods.ts";

/** One target as every command and report shows it. Names, versions and times, never a value. */
export type TargetRow = {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
} & Pick<
  Verdict,
  "source" | "finding" | "action" | "observed" | "code" | "advice" | "deleteAfter" | "until"
> &
  Omit<FindingDetails, "liveVersionId" | "currentVersionId"> &
  HeldState &
  FollowUpOutcome &
  PodsCheck & {
    /** Absent in a plan and when the target needed no action. */
    readonly outcome?: RowOutcome;
    /** Of kubernetes.io/tls, in an observation by values: until the first certificate expires; negative afterwards. */
    readonly certificateExpiresInDays?: number;
  };

export type RowOutcome = "written" | "unchanged" | "deleted" | "held-back" | "refused" | "failed";

export type HeldState = {
  /** From the Secret's annotations. */
  readonly versionId?: string;
  readonly writtenAt?: string;
  readonly currentVersionId?: string;
  /** The last change of the source, if known: AWSCURRENT moved then or earlier. */
  readonly sourceChangedAt?: string;
};

/**
 * Missing sources and findings that are only reported are not drift. A held Secret is drift when its source has a newer
 * version: the hold then keeps an old password in place, which needs an alarm.
 */
export function isDrift({ finding, action, code }: TargetRow): boolean {
  if (finding === null || action === "none" || action === "unknown") return false;
  if (code === "HELD") return finding === "STALE";
  return code !== finding;
}

/** A verdict and its observation. `live` and `states` are absent when they could not be read. */
export type Assessed = {
  readonly verdict: Verdict;
  /** Absent for an orphan. */
  readonly binding?: Binding;
  readonly live?: LiveMetadata;
  readonly states?: readonly SourceState[];
  readonly certificateExpiresInDays?: number;
};

export function rowOf(
  { verdict, live, states, certificateExpiresInDays }: Assessed,
  ownMetadata: RelayMetadata,
  done: Pick<TargetRow, "outcome" | "code" | "advice"> &
    FollowUpOutcome &
    PodsCheck &
    Pick<FindingDetails, "changes" | "collisions"> = {},
): TargetRow {
  const { target, source, finding, action, observed, code, advice, deleteAfter, until, details } = verdict;
  const { liveVersionId: _live, currentVersionId: _current, ...shown } = details;
  return {
    ...target,
    source,
    finding,
    action,
    observed,
    ...(code !== undefined && { code }),
    ...(advice !== undefined && { advice }),
    ...(deleteAfter !== undefined && { deleteAfter }),
    ...(until !== undefined && { until }),
    ...heldState(live, states, ownMetadata),
    ...shown,
    ...(certificateExpiresInDays !== undefined && { certificateExpiresInDays }),
    ...done,
  };
}

function heldState(
  live: LiveMetadata | undefined,
  states: readonly SourceState[] | undefined,
  { annotations }: RelayMetadata,
): HeldState {
  const source = states === undefined || states.length === 0 ? undefined : combineSourceStates(states);
  const versionId = live?.annotations[annotations.versionId];
  const writtenAt = asInstant(live?.annotations[annotations.writtenAt]);
  const current = source?.kind === "current" ? source : undefined;
  const sourceChangedAt = asInstant(current?.changedAt);
  return {
    ...(versionId !== undefined && { versionId: sanitizeName(versionId) }),
    ...(writtenAt !== undefined && { writtenAt }),
    ...(current !== undefined && { currentVersionId: current.versionId as string }),
    ...(sourceChangedAt !== undefined && { sourceChangedAt }),
  };
}

/** One state for all sources of a binding: current if all are current, otherwise the first other state. */
function combineSourceStates(states: readonly SourceState[]): SourceState {
  const [only, ...others] = states;
  if (only !== undefined && others.length === 0) return only;
  const notCurrent = states.find(({ kind }) => kind !== "current");
  if (notCurrent !== undefined) return notCurrent;
  const current = states.filter((state) => state.kind === "current");
  const changes = current.flatMap(({ changedAt }) => (changedAt === undefined ? [] : [changedAt]));
  return {
    kind: "current",
    versionId: dataVersionOf(current.map(({ versionId }) => versionId)),
    ...(changes.length > 0 && { changedAt: Math.max(...changes) }),
  };
}

/** Any client with permission to write the Secret chooses the annotation. */
function asInstant(time: string | number | undefined): string | undefined {
  const date = new Date(time ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  return text.length === ISO_LENGTH ? text : undefined; // a year of five digits has a sign, which the schema rejects
}

const ISO_LENGTH = 24;
