import type { EnvironmentReader } from "../configuration/read-environment.ts";
import { DEFAULT_RELAY_NAME } from "../identity/relay-identity.ts";

/** The settings that every function has. */
export type RelayConfig = {
  /** Compiled bindings (.json), or bindings as people write them (.yaml). */
  readonly bindingsFile: string;
  /** The name of this installation; the bindings must be for it. */
  readonly relayName: string;
  /** Requests under way at once to one cluster's API server. */
  readonly targetsAtOnce: number;
  /** How long a token is kept; EKS accepts it for 15 minutes at most. */
  readonly tokenLifeMs: number;
  /** The AWS SDK's own switch; the token is signed for STS's FIPS endpoint then. */
  readonly useFipsEndpoint: boolean;
};

/** `bindingsBeside` is the file that the build puts beside the function. */
export function readRelayConfig(read: EnvironmentReader, bindingsBeside: string): RelayConfig {
  return {
    bindingsFile: read.text("BINDINGS_FILE", bindingsBeside),
    relayName: read.text("RELAY_NAME", DEFAULT_RELAY_NAME),
    targetsAtOnce: read.integer("TARGETS_AT_ONCE", { min: 1, max: 64, otherwise: 8 }),
    tokenLifeMs: read.integer("TOKEN_LIFE_MS", { min: 1_000, max: 840_000, otherwise: 600_000 }),
    useFipsEndpoint: read.flag("AWS_USE_FIPS_ENDPOINT"),
  };
}
