/** The relay's equivalent of `property`, or the reason why there is none. */
export type PropertyRule =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "jmespath"; readonly jmespath: string; readonly hasIndex: boolean }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * External Secrets Operator looks up a property with a dot in two steps: as a gjson path in which every dot is escaped,
 * usually a top-level key with this exact name, and then as a gjson path. Paths of plain names, indices and `\.` are
 * converted. Wildcards, queries, modifiers, pipes, other escapes and literals are refused, because JMESPath lacks them or
 * gives them another meaning.
 */
export function propertyRule(property: string): PropertyRule {
  const special = SPECIAL.exec(property.replaceAll("\\.", ""));
  if (special !== null) {
    return refused(
      `the path contains ${JSON.stringify(special[0])}, a special character of gjson. Use names, list indices and \\. for a dot in a name`,
    );
  }
  const paths = [property.replaceAll(".", "\\."), property].map(partsOf);
  const [escaped = [], parts = []] = paths;
  if (paths.flat().includes("")) {
    return refused("the path has an empty part. Write \\. for a dot in a name, such as \\.dockerconfigjson");
  }
  const [only] = parts;
  if (!property.includes(".") && only !== undefined) return { kind: "key", key: only };
  if (paths.some((path) => path.length > 1 && path.includes("__proto__"))) {
    return refused("JMESPath cannot find the name __proto__");
  }
  return {
    kind: "jmespath",
    // The first one that is not null. `||` and not_null would also skip an empty string, false and 0
    // (@aws-lambda-powertools/jmespath 2.36.0).
    jmespath: `[${pathOf(escaped)}, ${pathOf(parts)}][?@ != \`null\`] | [0]`,
    hasIndex: paths.some((path) => path.slice(1).some((part) => isIndex(part))),
  };
}

/** Where the object of an `extract` with a property is: as propertyRule, for an expression in every case. */
export function extractRule(property: string): Exclude<PropertyRule, { readonly kind: "key" }> {
  const rule = propertyRule(property);
  if (rule.kind !== "key") return rule;
  if (rule.key === "__proto__") return refused("JMESPath cannot find the name __proto__");
  return { kind: "jmespath", jmespath: quoted(rule.key), hasIndex: false };
}

/** The parts of a gjson path, in which a backslash makes the next character plain. */
function partsOf(path: string): string[] {
  const parts = [""];
  for (const [piece, escaped = piece] of path.matchAll(/\\([\s\S])|\.|[^\\.]+/g)) {
    if (piece === ".") parts.push("");
    else parts.push((parts.pop() ?? "") + escaped);
  }
  return parts;
}

/**
 * The special characters of gjson's path parser, and control characters. `:`, quotes and brackets are special only in
 * some places, but refusing them everywhere is safe.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
const SPECIAL = /[\u0000-\u001f\u007f*?|#@\\!{}[\]()"'`~<>=%:&^]/;

const pathOf = (parts: readonly string[]): string => parts.map(stepOf).join("").replace(/^\./, "");

function stepOf(part: string, index: number): string {
  // The top level is an object, so an index there is a key.
  if (index > 0 && isIndex(part)) return `[${part}]`;
  return `.${quoted(part)}`;
}

/** gjson reads digits as an array index or an object key, depending on the value. */
const isIndex = (part: string): boolean => /^(0|[1-9]\d{0,8})$/.test(part);

const quoted = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name);

const refused = (reason: string): Extract<PropertyRule, { kind: "refused" }> => ({ kind: "refused", reason });
