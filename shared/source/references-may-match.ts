import type { AwsLocation, SecretReference } from "./secret-id.ts";

/**
 * Whether two references may name the same source.
 *
 * - A bare name without a location is in `self`.
 * - Partition, Region and account must be equal.
 * - An ARN with two readings matches by either of them. A known suffix matches an unknown one; two known suffixes must
 *   be equal, because a deleted and recreated source is a different source.
 *
 * A false positive costs only a needless read: an event is a hint, and the relay reads the binding's own id.
 */
export function referencesMayMatch(one: SecretReference, other: SecretReference, self: AwsLocation): boolean {
  if (!isSameHome(one.location ?? self, other.location ?? self)) return false;
  const otherReadings = readingsOf(other);
  return readingsOf(one).some((a) => otherReadings.some((b) => mayBeSame(a, b)));
}

/**
 * The index keys of a reference. References that may match share at least one, but check every candidate with
 * `referencesMayMatch`. Use a Map as the index, because a source may be called `__proto__`.
 */
export function lookupNames(reference: SecretReference): readonly string[] {
  return reference.names;
}

type Reading = { readonly name: string; readonly suffix: string | undefined };

function readingsOf(reference: SecretReference): readonly Reading[] {
  const [likelier, ...others] = reference.names;
  // An ARN with two readings ends like a full ARN, and the first reading takes its end as the suffix.
  const endOfId = others.length > 0 ? reference.id.slice(-SUFFIX_CHARACTERS) : undefined;
  const rest = others.map((name) => ({ name, suffix: undefined }));
  return [{ name: likelier, suffix: reference.suffix ?? endOfId }, ...rest];
}

const SUFFIX_CHARACTERS = 6;

function mayBeSame(a: Reading, b: Reading): boolean {
  const suffixesAgree = a.suffix === undefined || b.suffix === undefined || a.suffix === b.suffix;
  return a.name === b.name && suffixesAgree;
}

function isSameHome(a: AwsLocation, b: AwsLocation): boolean {
  return a.partition === b.partition && a.region === b.region && a.accountId === b.accountId;
}
