import pMap from "p-map";
import type { Binding, TargetRef } from "../../shared/bindings/binding.ts";
import { HOLD_ANNOTATION } from "../../shared/bindings/relay-identity.ts";
import { FenceConflict } from "../../shared/cluster/errors.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { toRelayError } from "../errors.ts";
import { type BoundClusters, TARGETS_AT_ONCE } from "../live/connect-bound-clusters.ts";

export type HoldRow = TargetRef & {
  readonly outcome: "held" | "released" | "unchanged" | "failed";
  /** ISO 8601. */
  readonly until?: string;
  readonly code?: string;
  readonly advice?: string;
};

/** Sets the hold of each Secret, or removes it where `until` is undefined, with the permissions of the caller. */
export function holdSecrets(
  { connect }: Pick<BoundClusters, "connect">,
  bindings: readonly Binding[],
  until: string | undefined,
  budget: TimeBudget,
): Promise<HoldRow[]> {
  const hold = async ({ target }: Binding): Promise<HoldRow> => {
    try {
      return { ...target, ...(await holdSecret(connect, target, until, budget)) };
    } catch (error) {
      const { code, message: advice } = toRelayError(error);
      return { ...target, outcome: "failed", code, advice };
    }
  };
  return pMap(bindings, hold, { concurrency: TARGETS_AT_ONCE });
}

async function holdSecret(
  connect: BoundClusters["connect"],
  target: TargetRef,
  until: string | undefined,
  budget: TimeBudget,
): Promise<Pick<HoldRow, "outcome" | "until" | "code" | "advice">> {
  const cluster = connect(target.cluster);
  for (let attempt = 1; ; attempt += 1) {
    const live = await cluster.readMetadata(target, budget);
    if (live === undefined)
      return { outcome: "failed", code: "MISSING", advice: "The Secret does not exist." };
    const isHeld = live.annotations[HOLD_ANNOTATION] !== undefined;
    if (until === undefined && !isHeld) return { outcome: "unchanged" };
    const metadata = { annotations: { [HOLD_ANNOTATION]: until ?? null } };
    try {
      await cluster.patchMetadata(live, { metadata, fieldManager: FIELD_MANAGER }, budget);
      return until === undefined ? { outcome: "released" } : { outcome: "held", until };
    } catch (error) {
      // The relay wrote the Secret in between. The hold must still be set.
      if (!(error instanceof FenceConflict) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** Not the relay's field manager: its next apply would remove the annotation. */
const FIELD_MANAGER = "secret-relay-hold";
const ATTEMPTS_MAX = 5;
