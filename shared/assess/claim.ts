import type { Binding } from "../bindings/binding.ts";
import { managingRelays } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { REFUSALS } from "./catalogue.ts";
import { checkOwner } from "./check-owner.ts";
import { isContested } from "./contest.ts";
import { heldUntil } from "./hold.ts";
import { type AssessRules, liveTarget } from "./observation.ts";

/** Why a bound Secret can be claimed, or why it cannot. */
export type Claim =
  /** It has this relay's label, but managedFields does not name the relay: ownership is lost. */
  | { readonly kind: "unclaimed" }
  /** It belongs to another relay, which the caller named. */
  | { readonly kind: "relay"; readonly from: string }
  /** Another manager changed it too often: the claim resets the count. */
  | { readonly kind: "contested" }
  /** A claim is not needed. */
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly code: string; readonly advice: string };

/**
 * Whether this relay may take over a bound Secret. Pure. `from` is the identity of another relay, as
 * name.account.region: without it the relay takes no Secret from another relay, which may still be running.
 */
export function claimOf(
  live: LiveMetadata,
  binding: Binding,
  rules: AssessRules,
  from: string | undefined,
): Claim {
  const { ownMetadata, now } = rules;
  const verdict = checkOwner({ binding, live: liveTarget(live), sources: [] }, rules);
  const { code = "", advice = "" } = verdict ?? {};
  const claim = ((): Claim => {
    if (code === "TARGET_UNCLAIMED") return { kind: "unclaimed" };
    if (code === "TARGET_OWNED_BY_ANOTHER_RELAY") {
      const others = managingRelays(live.labels).filter((identity) => identity !== ownMetadata.identity);
      if (from !== undefined && others.every((identity) => identity === from)) return { kind: "relay", from };
      const named = others.length === 1 ? ` --from ${others[0]}` : "";
      const detail = named && ` If that relay no longer exists, claim it with${named}.`;
      return { kind: "refused", code, advice: `${advice}${detail}` };
    }
    if (verdict !== undefined) return { kind: "refused", code, advice };
    return isContested(live, ownMetadata, now) ? { kind: "contested" } : { kind: "none" };
  })();
  const isHeld = heldUntil(live, now) !== undefined;
  const isClaim = claim.kind !== "none" && claim.kind !== "refused";
  return isHeld && isClaim ? { kind: "refused", code: "HELD", advice: REFUSALS.HELD } : claim;
}
