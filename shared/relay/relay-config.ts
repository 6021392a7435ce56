import { DEFAULT_RELAY_NAME } from "../bindings/relay-identity.ts";
import type { EnvironmentReader } from "../runtime/read-environment.ts";

export type RelayConfig = BindingsConfig & {
  /** The name of this installation; the bindings must have the same name. */
  readonly relayName: string;
  /** Concurrent requests to one cluster's API server. */
  readonly targetsAtOnce: number;
  /** How long a token is cached; EKS accepts it for at most 15 minutes. */
  readonly tokenLifeMs: number;
  /** The queue for shards and follow-ups; without it every sweep runs in one invocation, and only sweeps follow rollouts. */
  readonly workQueueUrl: string | undefined;
  /** After this time a rollout that has not completed is stuck. */
  readonly rolloutDeadlineMs: number;
  /** The AWS SDK's own setting; if set, the token is signed for STS's FIPS endpoint. */
  readonly useFipsEndpoint: boolean;
};

/** A local file, or the bucket of the stack. */
export type BindingsConfig =
  /** Compiled bindings (.json) or a bindings file (.yaml). */
  | { readonly bindingsFile: string; readonly bindingsBucket?: undefined }
  | { readonly bindingsFile?: undefined; readonly bindingsBucket: string };

export function readRelayConfig(read: EnvironmentReader): RelayConfig {
  return {
    ...readBindingsConfig(read),
    relayName: read.text("RELAY_NAME", DEFAULT_RELAY_NAME),
    targetsAtOnce: read.integer("TARGETS_AT_ONCE", { min: 1, max: 64, otherwise: 8 }),
    tokenLifeMs: read.integer("TOKEN_LIFE_MS", { min: 1_000, max: 840_000, otherwise: 600_000 }),
    workQueueUrl: read.text("WORK_QUEUE_URL", "") || undefined,
    rolloutDeadlineMs:
      read.integer("ROLLOUT_DEADLINE_SECONDS", { min: 60, max: 86_400, otherwise: 1_800 }) * 1_000,
    useFipsEndpoint: read.flag("AWS_USE_FIPS_ENDPOINT"),
  };
}

export function readBindingsConfig(read: EnvironmentReader): BindingsConfig {
  const bindingsFile = read.text("BINDINGS_FILE", "");
  return bindingsFile === "" ? { bindingsBucket: read.requiredText("BINDINGS_BUCKET") } : { bindingsFile };
}
