import type { FindingDetails, Verdict } from "../assess/verdict.ts";
import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import type { SourceState } from "../source/source-state.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";
import { combineSourceStates } from "./combine-source-states.ts";

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
  FollowUpOutcome & {
    /** What was done; absent where nothing was to be done, and in a plan. */
    readonly outcome?: RowOutcome;
    /** Of kubernetes.io/tls, in an observation by values: until the first certificate expires; negative afterwards. */
    readonly certificateExpiresInDays?: number;
  };

export type RowOutcome = "written" | "unchanged" | "deleted" | "held-back" | "refused" | "failed";

/** What the target holds and what is current. */
export type HeldState = {
  /** As the Secret's annotations say. */
  readonly versionId?: string;
  readonly writtenAt?: string;
  readonly currentVersionId?: string;
  /** When anything about the source last changed, where that is known: AWSCURRENT moved then or earlier. */
  readonly sourceChangedAt?: string;
};

/**
 * Sources that are gone stay on purpose, like everything that the relay only reports. A held Secret counts once its
 * source has moved on: then the hold keeps an old password in place, and an alarm must say so.
 */
export function isDrift({ finding, action, code }: TargetRow): boolean {
  if (finding === null || action === "none" || action === "unknown") return false;
  if (code === "HELD") return finding === "STALE";
  return code !== finding;
}

/** A verdict with what was observed. `live` and `states` are absent where they could not be read. */
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
  marks: RelayMetadata,
  done: Pick<TargetRow, "outcome" | "code" | "advice"> &
    FollowUpOutcome &
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
    ...heldState(live, states, marks),
    ...shown,
    ...(certificateExpiresInDays !== undefined && { certificateExpiresInDays }),
    ...done,
  };
}

export function heldState(
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

/** An annotation may hold anything: anyone who may write the Secret may write it. */
function asInstant(time: string | number | undefined): string | undefined {
  const date = new Date(time ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  return text.length === ISO_LENGTH ? text : undefined; // a year of five digits has a sign, and fits no schema
}

const ISO_LENGTH = 24;
