import type { RelayError } from "../relay-error.ts";
import type { IgnoredCode } from "./skip-reason.ts";

/** The outcome for one of ESO's objects that a change affects. */
export type TriggerOutcome = {
  /** The key of the cluster in the bindings. */
  readonly cluster: string;
  /** `ExternalSecret/shop/db`, or `ExternalSecret/shop/*` if the namespace could not be listed. */
  readonly object: string;
} & TriggerResult;

export type TriggerResult =
  /** ESO refreshed it after the nudge; `ms` from the nudge until the refresh was observed. */
  | { readonly kind: "refreshed"; readonly ms: number; readonly nudges: number }
  /** It was already nudged and refreshed for this event. */
  | { readonly kind: "already" }
  /** ESO will not or must not follow a nudge, see the code. Not retried. */
  | { readonly kind: "ignored"; readonly code: IgnoredCode; readonly advice: string }
  /** An operator must act. */
  | { readonly kind: "refused"; readonly code: string; readonly advice: string }
  /** Not refreshed in time; the invocation is retried. `reason` comes from ESO's Ready condition. */
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

export const IGNORED_ADVICE: Readonly<Record<IgnoredCode, string>> = {
  REFRESH_DISABLED:
    "Its refreshInterval is 0 and it is synced, so ESO never reads its source again. Set an interval, or refreshPolicy: OnChange to refresh only on nudges.",
  REFRESH_CREATED_ONCE:
    "Its refreshPolicy is CreatedOnce, so ESO never reads its source again. Use OnChange to refresh only on nudges.",
  SYNC_WINDOW_CLOSED:
    "Its sync windows are closed and ESO did not refresh it. ESO refreshes it when the next window opens.",
  GENERATOR_ONLY:
    "It has only generators and reads no source; a refresh would generate new values. Remove its webhook-id annotation.",
  PUSH_SECRET_WRITES_SOURCE:
    "It pushes a Secret of the cluster into the changed source. It was not nudged, because that would undo the change, but its next refresh will. Delete it, or let it write to another secret.",
  EXTERNAL_SECRET_BEING_DELETED: "It is being deleted.",
};
