import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata, LiveSecret } from "../cluster/live-secret.ts";
import type { RenderError } from "../render/errors.ts";
import type { DesiredSecret } from "../render/render-secret.ts";
import type { SourceState } from "../source/source-state.ts";

/** One target and its sources, observed by metadata or by values. */
export type Observation = {
  readonly binding: Binding;
  readonly live: LiveTarget;
  /** One for each source of the binding, in its order. */
  readonly sources: readonly SourceState[];
  /** The rendered Secret; present when the values were read and every source is current. */
  readonly desired?: DesiredSecret | RenderError;
};

export type LiveTarget =
  | { readonly kind: "absent" }
  | { readonly kind: "found"; readonly secret: LiveMetadata | LiveSecret }
  /** It could not be read. */
  | { readonly kind: "unknown"; readonly code: string; readonly advice: string; readonly retryable: boolean };

export type AssessRules = {
  readonly ownMetadata: RelayMetadata;
  /** Ms since the epoch. */
  readonly now: number;
  /** How long a source or a binding must be missing before its Secret is deleted. */
  readonly deletionGraceMs: number;
};

/** The default. The reconcile function uses DELETION_GRACE_MINUTES. */
export const DELETION_GRACE_MS = 86_400_000;

export function liveTarget(secret: LiveMetadata | LiveSecret | undefined): LiveTarget {
  return secret === undefined ? { kind: "absent" } : { kind: "found", secret };
}
