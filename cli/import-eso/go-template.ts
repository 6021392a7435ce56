import { type Call, callsIn } from "./go/calls-in.ts";
import { callFunction, memberOf } from "./go/functions.ts";
import { type Expression, type Node, parseTemplate } from "./go/parse-template.ts";
import { Unsupported } from "./go/scan-template.ts";
import { type Texts, text, type Value } from "./go/texts.ts";
import { type Condition, LiquidWriter, type Term } from "./go/write-liquid.ts";

/** A template of engine v2 of External Secrets Operator, translated to the relay's templates, or the reason why not. */
export type TemplateRule =
  | {
      readonly kind: "template";
      /** Writes the template; `nameOf` is the variable's path in the relay's template. */
      readonly write: (nameOf: (variable: string) => string) => string;
      readonly variables: readonly string[];
      /** The variables that are read by `index . "name"`, which may be absent in Go. */
      readonly indexed: readonly string[];
      readonly isDecoding: boolean;
      /** Set if the template is one variable and nothing else, perhaps decoded. */
      readonly only?: { readonly variable: string; readonly isDecoded: boolean };
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Translates text, variables, `if`, and the functions that have an exact equivalent. Everything else is refused. */
export function templateRule(template: string): TemplateRule {
  try {
    const nodes = parseTemplate(template);
    const statements = nodes.map(statementOf);
    const calls = callsIn(nodes);
    const variables = [...new Set(statements.flatMap(variablesOf))];
    const only = onlyOf(statements);
    return {
      kind: "template",
      variables,
      indexed: calls.flatMap((call) => indexedBy(call) ?? []),
      isDecoding: calls.some(({ name }) => name === "b64dec"),
      write: (nameOf) => {
        const writer = new LiquidWriter(nameOf, variables);
        for (const statement of statements) write(writer, statement);
        return writer.end();
      },
      ...(only && { only }),
    };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    return { kind: "refused", reason: error.message };
  }
}

type Statement =
  | { readonly kind: "output"; readonly texts: Texts }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: Condition; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    };

function statementOf(node: Node): Statement {
  if (node.kind === "text") return { kind: "output", texts: [node.text] };
  if (node.kind === "output") return { kind: "output", texts: printed(readValue(node.value)) };
  return {
    kind: "if",
    branches: node.branches.map(({ condition, body }) => ({
      condition: conditionOf(condition),
      body: body.map(statementOf),
    })),
    otherwise: node.otherwise.map(statementOf),
  };
}

function printed(value: Value): Texts {
  if (value.kind === "integer") return [String(value.value)];
  if (value.kind === "text" || value.kind === "loose") return value.texts;
  throw new Unsupported("it writes a list. Use join");
}

function readValue(expression: Expression): Value {
  switch (expression.kind) {
    case "string":
      return text(expression.text);
    case "integer":
      return expression;
    case "dot":
      throw new Unsupported("it uses all values at once. Name each variable");
    case "variable":
      return variable(expression.name);
    case "member":
      return memberOf(readValue(expression.of), expression.name);
    case "call":
      return callOf(expression);
  }
}

const variable = (name: string): Value => text({ base: { variable: name }, filters: [], isText: false });

function callOf(call: Call): Value {
  const indexed = indexedBy(call);
  return indexed === undefined ? callFunction(call.name, call.args.map(readValue)) : variable(indexed);
}

/** The variable of `index . "name"`. */
function indexedBy({ name, args }: Call): string | undefined {
  const [of, key, ...more] = args;
  const isIndex = name === "index" && of?.kind === "dot" && key?.kind === "string" && more.length === 0;
  return isIndex ? key.text : undefined;
}

function conditionOf(expression: Expression): Condition {
  if (expression.kind === "call" && (expression.name === "and" || expression.name === "or")) {
    if (expression.args.length === 0) throw new Unsupported(`its condition has an empty ${expression.name}`);
    return { terms: expression.args.map(termOf), joiner: expression.name };
  }
  return { terms: [termOf(expression)], joiner: "and" };
}

/** An empty text is false. */
function termOf(expression: Expression): Term {
  if (expression.kind === "call") {
    const { name, args } = expression;
    const [first, second, another] = args;
    if ((name === "not" || name === "empty") && first !== undefined && second === undefined) {
      const term = termOf(first);
      return { ...term, operator: term.operator === "==" ? "!=" : "==" };
    }
    if ((name === "eq" || name === "ne") && first && second && another === undefined) {
      return { left: comparable(first), operator: name === "eq" ? "==" : "!=", right: comparable(second) };
    }
    if (["not", "empty", "eq", "ne", "and", "or"].includes(name)) {
      throw new Unsupported(`its condition has a nested ${name}. Write the key by hand`);
    }
  }
  return { left: comparable(expression), operator: "!=", right: [""] };
}

function comparable(expression: Expression): Texts {
  const value = readValue(expression);
  if (value.kind === "text") return value.texts;
  throw new Unsupported("its condition compares something other than texts. Write the key by hand");
}

function write(writer: LiquidWriter, statement: Statement): void {
  if (statement.kind === "output") writer.output(statement.texts);
  else writeIf(writer, statement);
}

function writeIf(writer: LiquidWriter, statement: Extract<Statement, { kind: "if" }>): void {
  const conditions = statement.branches.map(({ condition }) => writer.condition(condition));
  for (const [index, { body }] of statement.branches.entries()) {
    writer.tag(`{% ${index === 0 ? "if" : "elsif"} ${conditions[index]} %}`);
    for (const each of body) write(writer, each);
  }
  if (statement.otherwise.length > 0) writer.tag("{% else %}");
  for (const each of statement.otherwise) write(writer, each);
  writer.tag("{% endif %}");
}

function variablesOf(statement: Statement): string[] {
  if (statement.kind === "output") return variablesIn(statement.texts);
  return [
    ...statement.branches.flatMap(({ condition, body }) => [
      ...condition.terms.flatMap(({ left, right }) => [...variablesIn(left), ...variablesIn(right)]),
      ...body.flatMap(variablesOf),
    ]),
    ...statement.otherwise.flatMap(variablesOf),
  ];
}

function variablesIn(texts: Texts): string[] {
  return texts.flatMap((part) => {
    if (typeof part === "string") return [];
    const args = part.filters.flatMap((filter) => filter.args);
    return [
      ...("variable" in part.base ? [part.base.variable] : variablesIn(part.base.texts)),
      ...args.flatMap((arg) => (typeof arg === "number" ? [] : variablesIn(arg))),
    ];
  });
}

function onlyOf(statements: readonly Statement[]): { variable: string; isDecoded: boolean } | undefined {
  const [statement, anotherStatement] = statements;
  if (statement?.kind !== "output" || anotherStatement !== undefined) return undefined;
  const [chain, another] = statement.texts;
  if (typeof chain !== "object" || another !== undefined || !("variable" in chain.base)) return undefined;
  const [filter, anotherFilter] = chain.filters;
  if (anotherFilter !== undefined || (filter !== undefined && filter.name !== "base64_decode"))
    return undefined;
  return { variable: chain.base.variable, isDecoded: filter !== undefined };
}

/** The path of a key in a template of the relay: of the source's object, or of a named source. */
export function pathOf(key: string, source?: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
    if (source !== undefined) return `${source}.${key}`;
    if (!RESERVED.has(key)) return key;
  }
  return `${source ?? ""}[${JSON.stringify(key)}]`;
}

/** Words with a meaning of their own in Liquid. */
export const RESERVED: ReadonlySet<string> = new Set(
  "true false nil null empty blank and or not contains forloop tablerowloop".split(" "),
);
