import {
  DEFAULT_RELAY_NAME,
  type RelayMetadata,
  relayMetadata,
} from "../../shared/bindings/relay-identity.ts";
import type { Backend } from "./backend.ts";

/** The account and Region of unit tests; the sandbox has the same ones by default. */
export const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };

export const RELAY_METADATA: RelayMetadata = relayMetadata({ name: DEFAULT_RELAY_NAME, ...SELF });

/** The metadata of a relay in the account and Region of a backend. */
export function relayMetadataOf({ aws }: Pick<Backend, "aws">, name = DEFAULT_RELAY_NAME): RelayMetadata {
  const { accountId, region } = aws;
  return relayMetadata({ name, partition: "aws", accountId, region });
}
