import type { RelayError } from "../relay-error.ts";
import type { IgnoredCode } from "./obstacle.ts";

/** What became of one object of ESO's that a change concerns. */
export type TriggerOutcome = {
  /** The key of the cluster in the bindings. */
  readonly cluster: string;
  /** `ExternalSecret/shop/db`; `ExternalSecret/shop/*` when those of a namespace could not be listed. */
  readonly object: string;
} & TriggerResult;

export type TriggerResult =
  /** ESO refreshed it after our nudge; `ms` from the nudge until it was seen. */
  | { readonly kind: "refreshed"; readonly ms: number; readonly nudges: number }
  /** It was nudged for this very event before, and refreshed since. */
  | { readonly kind: "already" }
  /** ESO will not follow a nudge, or must not: see the code. Nothing is repeated. */
  | { readonly kind: "ignored"; readonly code: IgnoredCode; readonly advice: string }
  /** A person must act. */
  | { readonly kind: "refused"; readonly code: string; readonly advice: string }
  /** Not refreshed in time; the invocation is repeated. `reason` is ESO's own code word. */
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly advice: string;
      readonly reason?: string;
      readonly nudges: number;
    };

export function resultOfError(error: RelayError, nudges = 0): TriggerResult {
  const { code, message: advice } = error;
  return error.retryable ? { kind: "failed", code, advice, nudges } : { kind: "refused", code, advice };
}

export function ignored(code: IgnoredCode): TriggerResult {
  return { kind: "ignored", code, advice: IGNORED_ADVICE[code] };
}

/** What is said of each reason to leave an object alone. */
export const IGNORED_ADVICE: Readonly<Record<IgnoredCode, string>> = {
  REFRESH_DISABLED:
    "Its refreshInterval is 0 and it is synced, so ESO never reads its source again. Give it an interval, or refreshPolicy: OnChange to refresh on nudges alone.",
  REFRESH_CREATED_ONCE:
    "Its refreshPolicy is CreatedOnce, so ESO never reads its source again. Use OnChange to refresh on nudges alone.",
  SYNC_WINDOW_CLOSED:
    "Its sync windows are closed and ESO did not refresh it. ESO does so when a window opens, or open one.",
  GENERATOR_ONLY:
    "It has generators only, and reads no source; a refresh would make new values. Remove its webhook-id annotation.",
  PUSH_SECRET_WRITES_SOURCE:
    "It pushes a Secret of the cluster into the source that changed, and was not nudged: that would undo the change. Its next refresh does so; delete it, or let it write elsewhere.",
  EXTERNAL_SECRET_BEING_DELETED: "It is being deleted.",
};
