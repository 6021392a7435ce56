/** The relay's equivalent of `property`, or the reason why there is none. */
export type PropertyRule =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "jmespath"; readonly jmespath: string; readonly hasIndex: boolean }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * External Secrets Operator looks up a property in two steps: as a top-level key with this exact name, dots included, and
 * then as a gjson path. Paths of plain names and indices are converted. Wildcards, queries, modifiers, pipes, escapes and
 * literals are refused, because JMESPath lacks them or gives them another meaning.
 */
export function propertyRule(property: string): PropertyRule {
  const special = SPECIAL.exec(property);
  if (special !== null) {
    return refused(`the path contains ${JSON.stringify(special[0])}, a special character of gjson`);
  }
  const parts = property.split(".");
  if (parts.includes("")) return refused("the path has an empty part");
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return { kind: "key", key: only };
  const path = parts.map(stepOf).join("").replace(/^\./, "");
  if (parts.includes("__proto__")) return refused("JMESPath cannot find the name __proto__");
  return {
    kind: "jmespath",
    // The first one that is not null. `||` and not_null would also skip an empty string, false and 0
    // (@aws-lambda-powertools/jmespath 2.36.0).
    jmespath: `[${quoted(property)}, ${path}][?@ != \`null\`] | [0]`,
    hasIndex: parts.slice(1).some((part) => isIndex(part)),
  };
}

/**
 * The special characters of gjson's path parser, and control characters. `:`, quotes and brackets are special only in
 * some places, but refusing them everywhere is safe.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
const SPECIAL = /[\u0000-\u001f\u007f*?|#@\\!{}[\]()"'`~<>=%:&^]/;

function stepOf(part: string, index: number): string {
  // The top level is an object, so an index there is a key.
  if (index > 0 && isIndex(part)) return `[${part}]`;
  return `.${quoted(part)}`;
}

/** gjson reads digits as an array index or an object key, depending on the value. */
const isIndex = (part: string): boolean => /^(0|[1-9]\d{0,8})$/.test(part);

const quoted = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name);

const refused = (reason: string): PropertyRule => ({ kind: "refused", reason });
