import pMap from "p-map";
import { type Claim, claimOf } from "../../shared/assess/claim.ts";
import type { AssessRules } from "../../shared/assess/observation.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { takeOver } from "../../shared/sync/take-over.ts";
import type { Session } from "../live/open-session.ts";

/** What can be claimed of one binding, or was. `unknown`: it could not be observed or patched. */
export type ClaimResult =
  | Claim
  | { readonly kind: "unknown"; readonly code: string; readonly advice: string };

export type Claimed = { readonly binding: Binding; readonly claim: ClaimResult };

export type ClaimHow = {
  readonly from: string | undefined;
  /** False: only look. */
  readonly carryOut: boolean;
  readonly budget: TimeBudget;
};

export function claimSecrets(
  live: Session,
  bindings: readonly Binding[],
  { from, carryOut, budget }: ClaimHow,
): Promise<Claimed[]> {
  const claim = async (binding: Binding): Promise<Claim> => {
    const cluster = live.connect(binding.target.cluster);
    // No deletion is decided here, so the grace period does not matter.
    const rules: AssessRules = { marks: live.index.marks, now: live.now(), deletionGraceMs: 0 };
    if (carryOut) return takeOver(cluster, { binding, rules, from, budget });
    const seen = await cluster.readMetadata(binding.target, budget);
    return seen === undefined ? { kind: "none" } : claimOf(seen, binding, rules, from);
  };
  return pMap(
    bindings,
    async (binding): Promise<Claimed> => {
      try {
        return { binding, claim: await claim(binding) };
      } catch (error) {
        const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
        return { binding, claim: { kind: "unknown", code, advice } };
      }
    },
    { concurrency: live.targetsAtOnce },
  );
}
