import type { SecretReference } from "./secret-id.ts";

/**
 * What is known about where an id comes from.
 * - `full-arn`: it can only be a full ARN, because AWS wrote it or because whoever wrote it was told to.
 * - `any`: it may be a name, a full ARN, or an ARN without the suffix: whatever a caller sent.
 */
export type IdOrigin = "full-arn" | "any";

/**
 * Reads a source's id: a name, a full ARN, or an ARN without the suffix. Undefined when it is none.
 *
 * - A name is 1 to 512 ASCII letters, digits and `/_+=.@-!`. CreateSecret allows no others, and services add `!` to
 *   the names they manage. Everything else, unicode above all, is refused and never normalised: two ids that look
 *   alike are two ids.
 * - With `full-arn` the last hyphen and six characters are the suffix, whatever the name before them looks like. An
 *   ARN without one, and a bare name, are refused.
 * - With `any` an ARN that ends in a hyphen and six letters or digits has two readings, with suffix and without, and
 *   `names` holds both. Only when one of them would be no legal name is the other certain.
 */
export function parseSecretReference(text: string, origin: IdOrigin): SecretReference | undefined {
  if (text.length > ID_CHARACTERS_MAX) return undefined;
  const arn = ARN.exec(text);
  if (arn === null) return origin === "any" && isName(text) ? { id: text, names: [text] } : undefined;

  const [, partition = "", region = "", accountId = "", resource = ""] = arn;
  const home = { partition, region, accountId };
  const full = SUFFIXED.exec(resource);
  const [, shorter = "", suffix = ""] = full ?? [];
  const isFull = isName(shorter);
  const mayBePartial = origin === "any" && isName(resource);

  if (isFull && mayBePartial) return { id: text, names: [shorter, resource], home };
  if (isFull) return { id: text, names: [shorter], home, suffix };
  return mayBePartial ? { id: text, names: [resource], home } : undefined;
}

/**
 * Reads the id of a source in bindings. There, an ARN that ends in a hyphen and six letters or digits is taken as
 * full: Secrets Manager reads it so too, and does not find a secret by a partial ARN whose name ends that way.
 */
export function parseBoundReference(text: string): SecretReference | undefined {
  return parseSecretReference(text, "full-arn") ?? parseSecretReference(text, "any");
}

// Secrets Manager takes at most 2,048 characters as SecretId.
const ID_CHARACTERS_MAX = 2_048;
const NAME = /^[A-Za-z0-9/_+=.@!-]{1,512}$/;
const SUFFIXED = /^(.+)-([A-Za-z0-9]{6})$/;
const ARN =
  /^arn:(aws(?:-cn|-us-gov|-eusc|-iso(?:-[a-z])?)?):secretsmanager:([a-z]{2,4}(?:-[a-z]{2,16}){1,2}-[0-9]{1,2}):([0-9]{12}):secret:([A-Za-z0-9/_+=.@!-]+)$/;

function isName(text: string): boolean {
  return NAME.test(text);
}
