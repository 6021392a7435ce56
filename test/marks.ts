import { DEFAULT_RELAY_NAME, type RelayMarks, relayMarks } from "../shared/identity/relay-identity.ts";
import type { Backend } from "./contract/backend.ts";

/** The account and Region of unit tests; the sandbox has the same ones by default. */
export const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };

export const MARKS: RelayMarks = relayMarks({ name: DEFAULT_RELAY_NAME, ...SELF });

/** The marks of a relay that runs in the account and Region of a backend. */
export function marksOf({ aws }: Pick<Backend, "aws">, name = DEFAULT_RELAY_NAME): RelayMarks {
  const { accountId, region } = aws;
  return relayMarks({ name, partition: "aws", accountId, region });
}
