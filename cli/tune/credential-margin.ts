/** Whether polls come often enough for the credentials that they use. */
export type CredentialMargin = "safe" | "tight" | "none";

/**
 * The hiccup: credentials end in the middle of a round, the call that was under way is refused, and External Secrets
 * Operator marks the store as not ready; its ExternalSecrets wait for their next turn.
 *
 * Safe is an interval of at most half a lifetime: a round that meets the end of its credentials is followed by another
 * with new ones before those could end too, so never two are missed in a row. Longer than the lifetime, every round
 * begins with credentials that have ended: each depends on STS answering at that moment. What lies between is tight.
 */
export function credentialMargin(intervalMs: number, credentialLifeMs: number): CredentialMargin {
  if (intervalMs <= credentialLifeMs / 2) return "safe";
  return intervalMs < credentialLifeMs ? "tight" : "none";
}
