/** How the relay finds what `property` names, or why it can't be said to be the same. */
export type PropertyRule =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "jmespath"; readonly jmespath: string; readonly hasIndex: boolean }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * External Secrets Operator looks a property up in two steps: as a key at the top that is spelled just so, dots and all,
 * and only then as a path of gjson. Of gjson's paths those are taken that consist of plain names and indices. Wildcards,
 * queries, modifiers, pipes, escapes and literals are refused: JMESPath either has no word for them or another meaning.
 */
export function propertyRule(property: string): PropertyRule {
  const special = SPECIAL.exec(property);
  if (special !== null) {
    return refused(`the path holds ${JSON.stringify(special[0])}, which has a meaning of its own in gjson`);
  }
  const parts = property.split(".");
  if (parts.includes("")) return refused("the path has an empty part");
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return { kind: "key", key: only };
  const path = parts.map(stepOf).join("").replace(/^\./, "");
  if (parts.includes("__proto__")) return refused("__proto__ is a name that JMESPath finds nowhere");
  return {
    kind: "jmespath",
    // The first of the two that is there. Not `||`, and not not_null, which in this library takes an empty text, false and
    // 0 for nothing too (@aws-lambda-powertools/jmespath 2.36.0).
    jmespath: `[${quoted(property)}, ${path}][?@ != \`null\`] | [0]`,
    hasIndex: parts.slice(1).some((part) => isIndex(part)),
  };
}

/**
 * What gjson's path parser looks at, wherever it stands, and control characters. `:`, quotes and brackets are not special
 * in every place, but nothing is lost by refusing them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const SPECIAL = /[\u0000-\u001f\u007f*?|#@\\!{}[\]()"'`~<>=%:&^]/;

function stepOf(part: string, index: number): string {
  // At the top there is an object, or nothing that has a key: an index there is a key.
  if (index > 0 && isIndex(part)) return `[${part}]`;
  return `.${quoted(part)}`;
}

/** gjson takes digits for the place in an array, and for a key in an object; which of them it is, only the value says. */
const isIndex = (part: string): boolean => /^(0|[1-9]\d{0,8})$/.test(part);

const quoted = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name);

const refused = (reason: string): PropertyRule => ({ kind: "refused", reason });
