import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { UsageError } from "../errors.ts";
import { awsNeeds, type NeedsOptions, namePrefixes } from "./aws-needs.ts";
import { findExcess } from "./stack-parameters.ts";

/** Throws UsageError, with a way that fits, if one stack cannot be given the permissions that the bindings need. */
export function checkExcess(compiled: CompiledBindings, options: NeedsOptions): void {
  const needs = awsNeeds(compiled, options);
  const excess = findExcess(needs);
  if (excess === undefined) return;
  if (excess === "others") {
    throw new UsageError(
      `The bindings need more clusters, roles and keys than the policy of one role takes. ${SEVERAL_STACKS}`,
    );
  }
  const covering = namePrefixes(compiled, options.location)
    .filter(({ sources }) => sources >= needs.secretArns.length - LISTED_MAX)
    .find(({ prefix }) => findExcess(awsNeeds(compiled, { ...options, prefix })) === undefined);
  const says = `The ARNs of ${needs.secretArns.length} sources exceed the parameter SecretArns, which holds about 44.`;
  if (covering === undefined) throw new UsageError(`${says} ${OWN_POLICIES}`);
  const { prefix, sources } = covering;
  throw new UsageError(
    `${says} Add --prefix ${prefix}, which covers ${sources} of them. It also allows every other secret whose name begins so, and this command does not know those. List them first: aws secretsmanager list-secrets --filters Key=name,Values=${prefix}`,
  );
}

/** The shortest ARN has 61 characters, and with its comma fits 66 times into the parameter. */
const LISTED_MAX = 66;

const OWN_POLICIES =
  "Put them into managed policies of your own, and name those in SourcePolicyArns: docs/security.md, Many sources.";

const SEVERAL_STACKS = "Split them between several stacks: docs/operate.md.";
