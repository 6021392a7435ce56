import type { TargetRef } from "../../shared/bindings/binding.ts";
import { nameOfSources } from "../../shared/bindings/name-of-sources.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { ANNOTATIONS } from "../../shared/render/ownership-marks.ts";
import { diagnoseTarget } from "../../shared/sweep/diagnose.ts";
import type { Diagnosis } from "../../shared/sweep/finding.ts";
import type { Sight } from "../live/sight.ts";
import { sourceAdvice } from "../live/source-advice.ts";

/** From the worst to the best; the order in which they are listed. */
export const STATES = [
  "stale",
  "missing",
  "source-gone",
  "refused",
  "drifted",
  "unknown",
  "current",
] as const;

export type State = (typeof STATES)[number];

/** One binding, in words. */
export type BindingStatus = {
  readonly target: TargetRef;
  readonly source: string;
  readonly state: State;
  /** The finding that a sweep would report, or the code of why nothing is known. */
  readonly code?: string;
  readonly advice?: string;
  /** What the Secret holds, and since when. */
  readonly versionId?: string;
  readonly syncedAt?: string;
  readonly currentVersionId?: string;
  /** When anything about the source last changed; AWSCURRENT moved then or before. */
  readonly sourceChangedAt?: string;
  readonly lastError?: LastError;
};

export type LastError = {
  readonly at: string;
  readonly message: string;
  /** Where it was found. */
  readonly from: "Kubernetes Event";
};

/** Judged as a sweep by metadata judges: no value is compared. Pure. */
export function statusOf({ binding, sources, source, target }: Sight, now: number): BindingStatus {
  const live = target.kind === "there" ? target.live : undefined;
  const { [ANNOTATIONS.versionId]: versionId, [ANNOTATIONS.writtenAt]: syncedAt } = live?.annotations ?? {};
  const seen = {
    target: binding.target,
    source: nameOfSources(binding),
    ...(versionId !== undefined && { versionId }),
    ...(syncedAt !== undefined && { syncedAt }),
    ...(source.kind === "current" && { currentVersionId: source.versionId as string }),
    ...(source.kind === "current" &&
      source.changedAt !== undefined && { sourceChangedAt: new Date(source.changedAt).toISOString() }),
  };
  const unknown = [target, ...sources].find((part) => part.kind === "unseen" || part.kind === "unreadable");
  if (unknown !== undefined && "code" in unknown) {
    return { ...seen, state: "unknown", code: unknown.code, advice: unknown.advice };
  }
  const known = sources.filter((each) => each.kind !== "unreadable");
  const diagnosis = diagnoseTarget(binding, live, known, now);
  if (diagnosis === undefined) return { ...seen, state: "current" };
  const advice = diagnosis.refusal?.advice ?? adviceOn(diagnosis);
  return {
    ...seen,
    state: stateOf(diagnosis),
    code: diagnosis.code,
    ...(advice !== undefined && { advice }),
  };
}

/** Worst first; of two stale ones, the one whose source changed longer ago. Pure. */
export function worstFirst(one: BindingStatus, other: BindingStatus): number {
  const byState = STATES.indexOf(one.state) - STATES.indexOf(other.state);
  if (byState !== 0) return byState;
  const byAge = (one.sourceChangedAt ?? "").localeCompare(other.sourceChangedAt ?? "");
  if (one.state === "stale" && byAge !== 0) return byAge;
  return nameOfTarget(one.target).localeCompare(nameOfTarget(other.target));
}

function stateOf({ code, refusal }: Diagnosis): State {
  if (refusal !== undefined) return "refused";
  switch (code) {
    case "STALE":
      return "stale";
    case "MISSING":
      return "missing";
    case "SOURCE_MISSING":
    case "SOURCE_SCHEDULED_FOR_DELETION":
    case "VERSION_MISSING":
      return "source-gone";
    default:
      return "drifted";
  }
}

function adviceOn({
  code,
  target: { namespace, name },
  details: { fields = [] },
}: Diagnosis): string | undefined {
  const sync = `secret-relay sync ${namespace}/${name}`;
  switch (code) {
    case "STALE":
    case "MISSING":
    case "FINGERPRINT_CHANGED":
      return `Write it now: ${sync}`;
    case "TAMPERED":
    case "TAKEN_OVER":
      return `${fields.map(({ field, what, manager }) => `${field} ${what}${manager === undefined ? "" : ` by ${manager}`}`).join(", ")}. Write it anew: ${sync}`;
    default:
      return sourceAdvice(code);
  }
}
