import type { SecretHome, SecretReference } from "./secret-id.ts";

/**
 * Whether two references may name the same source.
 *
 * - A bare name without a home lives in `self`.
 * - Partition, Region and account must be equal.
 * - An ARN with two readings matches by either. So does a known suffix match an unknown one of the same name; two
 *   known suffixes must be equal, since a source that was deleted and made again under its name is another source.
 *
 * "May" is enough where it is used: an event is a hint, and what is then read is the binding's own id. A needless
 * read is the worst that a wrong "may" costs. Two ARNs that are both known to be full match only when equal.
 */
export function referencesMayMatch(bound: SecretReference, seen: SecretReference, self: SecretHome): boolean {
  if (!isSameHome(bound.home ?? self, seen.home ?? self)) return false;
  const seenReadings = readingsOf(seen);
  return readingsOf(bound).some((a) => seenReadings.some((b) => mayBeSame(a, b)));
}

/**
 * The names under which a reference is filed and looked up in an index. References that may match share at least one
 * of them; sharing one is not yet a match, so ask `referencesMayMatch` about every candidate. Index by a Map: a
 * source may be called `__proto__`.
 */
export function lookupNames(reference: SecretReference): readonly string[] {
  return reference.names;
}

type Reading = { readonly name: string; readonly suffix: string | undefined };

function readingsOf(reference: SecretReference): readonly Reading[] {
  const [likelier, ...others] = reference.names;
  // Two readings are those of an ARN that ends like a full one: the first takes its end as the suffix.
  const endOfId = others.length > 0 ? reference.id.slice(-SUFFIX_CHARACTERS) : undefined;
  const rest = others.map((name) => ({ name, suffix: undefined }));
  return [{ name: likelier, suffix: reference.suffix ?? endOfId }, ...rest];
}

const SUFFIX_CHARACTERS = 6;

function mayBeSame(a: Reading, b: Reading): boolean {
  const suffixesAgree = a.suffix === undefined || b.suffix === undefined || a.suffix === b.suffix;
  return a.name === b.name && suffixesAgree;
}

function isSameHome(a: SecretHome, b: SecretHome): boolean {
  return a.partition === b.partition && a.region === b.region && a.accountId === b.accountId;
}
