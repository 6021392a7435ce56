import { RelayError } from "../relay-error.ts";
import { unwantedKeys } from "./keys.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** Keys of other managers in a Secret that is otherwise in order. Only checkDrift decides to remove them. */
export function checkForeignKeys(
  observation: Observation,
  { ownMetadata }: AssessRules,
): Verdict | undefined {
  const { binding, live, desired } = observation;
  if (live.kind !== "found") return undefined;
  const wanted =
    desired === undefined || desired instanceof RelayError ? undefined : new Set(desired.data.keys());
  const { foreign } = unwantedKeys(live.secret, binding, ownMetadata, wanted);
  if (foreign.length === 0) return undefined;
  const details = { foreignKeys: foreign };
  return verdictOn(observation, { finding: "FOREIGN_KEYS", action: "none", details });
}
