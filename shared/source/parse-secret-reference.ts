import type { SecretReference } from "./secret-id.ts";

/**
 * `full-arn`: the field always holds a full ARN, for example because AWS wrote it.
 * `any`: a name, a full ARN, or an ARN without the suffix.
 */
export type IdOrigin = "full-arn" | "any";

/**
 * Parses a source's id: a name, a full ARN, or an ARN without the suffix. Undefined for anything else.
 *
 * - A name is 1 to 512 ASCII letters, digits and `/_+=.@-!`. CreateSecret allows no others, and services add `!` to
 *   the names they manage. Unicode is refused and never normalised: two ids that look alike are two ids.
 * - With `full-arn` the last hyphen and six characters are always the suffix. A bare name, or an ARN without a suffix,
 *   is refused.
 * - With `any` an ARN that ends in a hyphen and six letters or digits can be read with or without a suffix, and `names`
 *   holds both readings unless one is not a valid name.
 */
export function parseSecretReference(text: string, origin: IdOrigin): SecretReference | undefined {
  if (text.length > ID_CHARACTERS_MAX) return undefined;
  const arn = ARN.exec(text);
  if (arn === null) return origin === "any" && isName(text) ? { id: text, names: [text] } : undefined;

  const [, partition = "", region = "", accountId = "", resource = ""] = arn;
  const location = { partition, region, accountId };
  const full = SUFFIXED.exec(resource);
  const [, shorter = "", suffix = ""] = full ?? [];
  const isFull = isName(shorter);
  const mayBePartial = origin === "any" && isName(resource);

  if (isFull && mayBePartial) return { id: text, names: [shorter, resource], location };
  if (isFull) return { id: text, names: [shorter], location, suffix };
  return mayBePartial ? { id: text, names: [resource], location } : undefined;
}

/**
 * Parses the id of a source in bindings. An ARN that ends in a hyphen and six letters or digits counts as a full ARN,
 * as it does in Secrets Manager, which does not find a secret by a partial ARN whose name ends that way.
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
