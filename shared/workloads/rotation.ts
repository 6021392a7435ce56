import { isOpen, type RestartOutcome, type Rotation } from "./outcome.ts";
import type { PendingRestart } from "./pending-restart.ts";

/** Undefined if the data has not changed since the relay notes it. Pure. */
export function rotationOf(
  restarts: readonly RestartOutcome[],
  { versionId, changedAt, movedAt, impliedBy }: PendingRestart,
): Rotation | undefined {
  if (impliedBy !== undefined) return undefined;
  const state = stateOf(restarts);
  const effectiveAt = Math.max(...restarts.map((restart) => Date.parse(restart.effectiveAt ?? "") || 0));
  return {
    versionId,
    state,
    ...(movedAt !== undefined && { movedAt: new Date(movedAt).toISOString() }),
    writtenAt: new Date(changedAt).toISOString(),
    // The time of an event has whole seconds, from another clock.
    ...(movedAt !== undefined && { writtenAfterMs: Math.max(0, changedAt - movedAt) }),
    ...(state === "effective" && {
      effectiveAt: new Date(effectiveAt).toISOString(),
      effectiveAfterMs: Math.max(0, effectiveAt - (movedAt ?? changedAt)),
    }),
  };
}

function stateOf(restarts: readonly RestartOutcome[]): Rotation["state"] {
  if (restarts.some(({ rollout }) => rollout?.state === "stuck")) return "stuck";
  if (restarts.some(({ outcome }) => outcome === "refused")) return "refused";
  if (restarts.some((restart) => isOpen(restart) || restart.outcome === "skipped")) return "waiting";
  return restarts.some(({ effectiveAt }) => effectiveAt !== undefined) ? "effective" : "unneeded";
}
