import { sanitizeName } from "../cluster/sanitize-name.ts";
import { RelayError } from "../relay-error.ts";
import { REFUSALS } from "./catalogue.ts";
import { additionsOf, keyChanges } from "./changes.ts";
import type { Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

export function checkTargetExists(observation: Observation): Verdict | undefined {
  const { live, desired } = observation;
  if (live.kind !== "absent") return undefined;
  const common = { finding: "MISSING", action: "create" } as const;
  if (desired === undefined) return verdictOn(observation, common);
  if (desired instanceof RelayError) return checkRendering(observation);
  const changes = additionsOf(desired);
  const { collisions } = desired;
  return verdictOn(observation, {
    ...common,
    details: { changes: keyChanges(changes), ...(collisions && { collisions }) },
    write: { changes, force: false, disown: { keys: [] }, isTakeBack: false },
  });
}

export function checkType(observation: Observation): Verdict | undefined {
  const { binding, live } = observation;
  if (live.kind !== "found" || live.secret.type === binding.type) return undefined;
  return verdictOn(observation, {
    finding: "TYPE_DIFFERS",
    action: "refuse",
    code: "TARGET_TYPE_DIFFERS",
    advice: `The Secret has type ${sanitizeName(live.secret.type)}, the binding ${binding.type}. ${REFUSALS.TARGET_TYPE_DIFFERS}`,
  });
}

export function checkRendering(observation: Observation): Verdict | undefined {
  const { desired } = observation;
  if (!(desired instanceof RelayError)) return undefined;
  const { code, message } = desired;
  return verdictOn(observation, {
    finding: "UNRENDERABLE",
    action: "refuse",
    code,
    advice: message,
    details: { cause: code },
  });
}
