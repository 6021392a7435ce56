import { isMap, isScalar, parseDocument, Scalar } from "yaml";
import { type Part, scanTemplate, Unsupported } from "./go/scan-template.ts";

export type LiteralTexts =
  | {
      readonly kind: "texts";
      /** The key of the Secret -> its template. */
      readonly texts: readonly (readonly [key: string, template: string])[];
      /** A value of a source is within a line of YAML, where its line breaks have a meaning. */
      readonly hasLines: boolean;
    }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Splits a template that makes a YAML map into one template for each key. Only maps are split whose structure is the same
 * for every value: constant keys, and values that are constant, one `quote`, or lines of a block (`|`).
 */
export function literalTexts(literal: string): LiteralTexts {
  try {
    const { skeleton, actions } = withPlaceholders(literal);
    const document = parseDocument(skeleton, { uniqueKeys: true });
    if (document.errors.length > 0 || document.warnings.length > 0) {
      throw new Unsupported("without its values it is not a YAML map");
    }
    const map = document.contents;
    if (!isMap(map) || map.items.length === 0 || map.anchor !== undefined || map.tag !== undefined) {
      throw new Unsupported("without its values it is not a YAML map");
    }
    if (!skeleton.endsWith("\n") && map.items.some(({ value }) => isBlock(value))) {
      throw new Unsupported("its block of lines does not end with a line break");
    }
    let hasLines = false;
    const texts = map.items.map(({ key, value }) => {
      checkQuotes(skeleton, key);
      checkQuotes(skeleton, value);
      const name = keyOf(key);
      const made = textOf(name, value, actions);
      hasLines ||= made.hasLines;
      return [name, made.text] as const;
    });
    return { kind: "texts", texts, hasLines };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    return { kind: "refused", reason: error.message };
  }
}

type Action = Extract<Part, { kind: "action" }>;

/** Private characters stand for the actions while the YAML is read. */
function withPlaceholders(literal: string): { skeleton: string; actions: readonly Action[] } {
  if (UNSURE.test(literal)) throw new Unsupported("it has characters that YAML reads in different ways");
  const actions: Action[] = [];
  const skeleton = scanTemplate(literal)
    .map((part) => (part.kind === "text" ? part.text : `\ue000${actions.push(part) - 1}\ue001`))
    .join("");
  for (const { tokens } of actions) {
    const [first] = tokens;
    if (first?.kind === "word" && KEYWORDS.has(first.text)) {
      throw new Unsupported(`it uses ${first.text} around keys or lines`);
    }
  }
  return { skeleton, actions };
}

const PLACEHOLDER = /\ue000(\d+)\ue001/g;
const KEYWORDS: ReadonlySet<string> = new Set(
  "block break continue define else end if range template with".split(" "),
);
/** Controls, line breaks of YAML 1.1, byte order marks, and what stands for actions. */
const UNSURE = /[^\P{Cc}\t\n]|[\p{Co}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u;

/** Escapes and folded lines within quotes. */
function checkQuotes(skeleton: string, node: unknown): void {
  if (!isScalar(node) || (node.type !== Scalar.QUOTE_DOUBLE && node.type !== Scalar.QUOTE_SINGLE)) return;
  const [start = 0, end = 0] = node.range ?? [];
  if (!QUOTED.test(skeleton.slice(start, end))) {
    throw new Unsupported("it has escapes or several lines within quotes");
  }
}

const QUOTED = /^(?:"[^"\\\n]*"|'(?:[^'\n]|'')*')$/;

function keyOf(node: unknown): string {
  if (!isPlainNode(node) || !(typeof node.value === "string")) {
    throw new Unsupported("it has a key that is not a plain text");
  }
  if (node.value.includes("\ue000")) throw new Unsupported("it makes keys of values");
  const isSafe = node.type === Scalar.PLAIN ? SAFE_KEY.test(node.value) : DATA_KEY.test(node.value);
  if (!isSafe || (node.type === Scalar.PLAIN && WORD.test(node.value)))
    throw new Unsupported("it has a key that YAML reads in different ways");
  return node.value;
}

const SAFE_KEY = /^[A-Za-z_][-._A-Za-z0-9]*$|^\.[A-Za-z_][-._A-Za-z0-9]*$/;
const DATA_KEY = /^[-._A-Za-z0-9]+$/;

function textOf(
  key: string,
  node: unknown,
  actions: readonly Action[],
): { readonly text: string; readonly hasLines: boolean } {
  if (!isPlainNode(node) || typeof node.source !== "string") {
    throw new Unsupported(`the value of ${key} is not a text`);
  }
  const { source, type } = node;
  const withActions = source.replace(
    PLACEHOLDER,
    (_, index: string) => `{{${actions[Number(index)]?.source}}}`,
  );
  const isConstant = !source.includes("\ue000");
  switch (type) {
    case Scalar.PLAIN: {
      if (isConstant) {
        if (!SAFE_TEXT.test(source) && source !== "true" && source !== "false") {
          throw new Unsupported(`YAML reads the value of ${key} in different ways. Or put it into quotes`);
        }
        return { text: source, hasLines: false };
      }
      const index = ONE_PLACEHOLDER.exec(source)?.[1];
      const only = index === undefined ? undefined : quotedVariable(actions[Number(index)]);
      if (only === undefined) {
        throw new Unsupported(
          `the YAML of ${key} depends on its value. Or write {{ .name | quote }} as its whole value`,
        );
      }
      return { text: `{{ ${only} }}`, hasLines: false };
    }
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      if (!isConstant) {
        throw new Unsupported(
          `the YAML of ${key} depends on its value. Or write {{ .name | quote }} without other quotes`,
        );
      }
      return { text: source, hasLines: false };
    case Scalar.BLOCK_LITERAL: {
      const lines = source.replace(/\n+$/, "").split("\n");
      const [first = "", last = ""] = [lines[0], lines.at(-1)];
      if (!/^[^\s\ue000]/.test(first) || last.replace(PLACEHOLDER, "").trim() === "") {
        throw new Unsupported(
          `the first or the last line of ${key} can be empty. Or put a constant text at the start of the first line and into the last one`,
        );
      }
      return { text: withActions, hasLines: !isConstant };
    }
    default:
      throw new Unsupported(`the value of ${key} is a folded text`);
  }
}

const isBlock = (node: unknown): boolean => isScalar(node) && node.type === Scalar.BLOCK_LITERAL;

type PlainNode = Scalar & { readonly source?: string };

const isPlainNode = (node: unknown): node is PlainNode =>
  isScalar(node) && node.anchor === undefined && node.tag === undefined;

/** Read as a text, a number or a boolean, it has the same spelling. */
const SAFE_TEXT =
  /^(?:(?!(?:y|n|yes|no|on|off|null|true|false)$)[A-Z/_][-A-Z0-9 _./:@+,;=?&()]*|0|[1-9][0-9]{0,14})$/i;

/** A boolean or null in a version of YAML. */
const WORD = /^(?:y|n|yes|no|on|off|null|true|false)$/i;

const ONE_PLACEHOLDER = /^\ue000(\d+)\ue001$/;

/** The variable of `.name | quote` or `quote .name`. */
function quotedVariable(action: Action | undefined): string | undefined {
  const tokens = action?.tokens ?? [];
  const texts = tokens.map(({ kind, text }) => `${kind} ${text}`);
  const isPiped = texts.at(-1) === "word quote" && texts.at(-2) === "sign |";
  const rest = isPiped ? tokens.slice(0, -2) : texts[0] === "word quote" ? tokens.slice(1) : [];
  const [one, dot, name, another] = rest;
  if (one?.kind === "field" && dot === undefined) return `.${one.text}`;
  if (one?.kind === "variable" && one.text === "" && dot?.kind === "field" && name === undefined) {
    return `.${dot.text}`;
  }
  const isIndex =
    one?.kind === "word" &&
    one.text === "index" &&
    dot?.text === "." &&
    name?.kind === "string" &&
    another === undefined;
  return isIndex ? `index . ${JSON.stringify(name.text)}` : undefined;
}
