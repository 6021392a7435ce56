import { actionsOf, resourcesOf, type Statement } from "./statements.ts";

/** One call, in the words of an IAM policy. */
export type PolicyRequest = {
  readonly action: string;
  readonly resource: string;
  /** Condition keys, in the spelling of the policies. */
  readonly context?: Readonly<Record<string, string>>;
};

export type Decision = "allowed" | "denied by a statement" | "not allowed";

/**
 * IAM's decision on a call by the policies of one identity, as documented: a matching Deny wins, then a matching
 * Allow, and otherwise it is denied. It supports only the elements that our policies use, and throws at others.
 * test/real/sam compares it with another implementation.
 */
export function decide(statements: readonly Statement[], request: PolicyRequest): Decision {
  const matching = statements.filter((statement) => matches(statement, request));
  if (matching.some(({ Effect }) => Effect === "Deny")) return "denied by a statement";
  return matching.some(({ Effect }) => Effect === "Allow") ? "allowed" : "not allowed";
}

function matches(statement: Statement, { action, resource, context = {} }: PolicyRequest): boolean {
  for (const element of Object.keys(statement)) {
    if (!KNOWN_ELEMENTS.has(element)) throw new Error(`a statement's ${element} is not known here`);
  }
  const conditions = Object.entries((statement.Condition ?? {}) as Record<string, Record<string, unknown>>);
  return (
    actionsOf(statement).some((one) => isLike(one.toLowerCase(), action.toLowerCase())) &&
    resourcesOf(statement).some((one) => isLike(one, resource)) &&
    conditions.every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => {
        const test = OPERATORS[operator];
        if (test === undefined) throw new Error(`the condition operator ${operator} is not known here`);
        const given = context[key];
        const isOneOf = given !== undefined && [wanted].flat().some((one) => test(String(one), given));
        // A negated operator also holds where the key is absent.
        return NEGATED.has(operator) ? !isOneOf : isOneOf;
      }),
    )
  );
}

const KNOWN_ELEMENTS = new Set(["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]);

const OPERATORS: Readonly<Record<string, (wanted: string, given: string) => boolean>> = {
  StringEquals: (wanted, given) => wanted === given,
  StringLike: isLike,
  ArnEquals: isLike, // the same as ArnLike
  ArnLike: isLike,
  ArnNotLike: isLike,
  Bool: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
};

const NEGATED: ReadonlySet<string> = new Set(["ArnNotLike"]);

/** `*` is any text, `?` one character. */
function isLike(pattern: string, text: string): boolean {
  const literal = (part: string) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = [...pattern].map((one) => (one === "*" ? ".*" : one === "?" ? "." : literal(one))).join("");
  return new RegExp(`^${source}$`, "s").test(text);
}
