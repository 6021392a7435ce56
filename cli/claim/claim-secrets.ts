import pMap from "p-map";
import { type Claim, claimOf } from "../../shared/assess/claim.ts";
import type { AssessRules } from "../../shared/assess/observation.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { takeOver } from "../../shared/sync/take-over.ts";
import { toRelayError } from "../errors.ts";
import type { Session } from "../live/open-session.ts";

/** `unknown`: the Secret could not be read or patched. */
export type ClaimResult =
  | Claim
  | { readonly kind: "unknown"; readonly code: string; readonly advice: string };

export type Claimed = { readonly binding: Binding; readonly claim: ClaimResult };

export function claimSecrets(
  session: Session,
  bindings: readonly Binding[],
  { from, dryRun, budget }: { from: string | undefined; dryRun: boolean; budget: TimeBudget },
): Promise<Claimed[]> {
  const claim = async (binding: Binding): Promise<Claim> => {
    const cluster = session.connect(binding.target.cluster);
    // A claim deletes nothing, so the grace period does not matter.
    const rules: AssessRules = {
      ownMetadata: session.index.ownMetadata,
      now: session.now(),
      deletionGraceMs: 0,
    };
    if (!dryRun) return takeOver(cluster, { binding, rules, from, budget });
    const live = await cluster.readMetadata(binding.target, budget);
    return live === undefined ? { kind: "none" } : claimOf(live, binding, rules, from);
  };
  return pMap(
    bindings,
    async (binding): Promise<Claimed> => {
      try {
        return { binding, claim: await claim(binding) };
      } catch (error) {
        const { code, message: advice } = toRelayError(error);
        return { binding, claim: { kind: "unknown", code, advice } };
      }
    },
    { concurrency: session.targetsAtOnce },
  );
}
