import type { CounterWriter } from "../counters.ts";
import type { EventBus } from "../events.ts";
import type { FaultBoard } from "../faults.ts";
import type { SecretStore } from "./secret-store.ts";

/** State that the operations of Secrets Manager share. */
export type SecretsManagerContext = {
  readonly store: SecretStore;
  readonly events: EventBus;
  readonly faults: FaultBoard;
  readonly counters: CounterWriter;
  readonly now: () => number;
  readonly options: SecretsManagerOptions;
};

export type SecretsManagerOptions = {
  /** How stale ListSecrets is; the real one may be five minutes behind. Can be changed at any time. */
  listStaleMs: number;
  /** How many secrets one page of a filtered list examines; a page can hold fewer than requested, or none. */
  scannedPerPageMax: number;
  /** Whether CreateSecret with a value sends a label event; the documentation doesn't say. */
  labelEventOnCreate: boolean;
  /**
   * Whether the hundredth version within a day is refused, as the quota says, or the oldest unlabelled one is dropped.
   */
  strictVersionQuota: boolean;
};
