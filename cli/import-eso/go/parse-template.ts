import { type Part, scanTemplate, shortened, type Token, Unsupported } from "./scan-template.ts";

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "output"; readonly value: Expression }
  | { readonly kind: "if"; readonly branches: readonly Branch[]; readonly otherwise: readonly Node[] };

export type Branch = { readonly condition: Expression; readonly body: readonly Node[] };

export type Expression =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "integer"; readonly value: number }
  /** The data of the template itself. */
  | { readonly kind: "dot" }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "member"; readonly of: Expression; readonly name: string }
  /** A pipeline is read as calls: the value before the bar is the last argument. */
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] };

/** Parses a Go template of text, outputs and `if`. Throws an Unsupported. */
export function parseTemplate(template: string): Node[] {
  const blocks = new Blocks(scanTemplate(template));
  const { nodes, closing } = blocks.read();
  if (closing !== undefined) throw new Unsupported(`${closing.name} closes nothing`);
  return nodes;
}

type Closing = { readonly name: "end" | "else"; readonly rest: Tokens };

class Blocks {
  readonly #parts: readonly Part[];
  #at = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Reads until the template, or the block that is open, ends. */
  read(): { nodes: Node[]; closing?: Closing } {
    const nodes: Node[] = [];
    for (;;) {
      const part = this.#parts[this.#at++];
      if (part === undefined) return { nodes };
      if (part.kind === "text") {
        if (part.text !== "") nodes.push(part);
        continue;
      }
      const tokens = new Tokens(part.tokens);
      const keyword = tokens.takeKeyword();
      if (keyword === "end" || keyword === "else") return { nodes, closing: { name: keyword, rest: tokens } };
      if (keyword === "if") nodes.push(this.#readIf(tokens));
      else if (keyword !== undefined) throw new Unsupported(KEYWORDS[keyword]);
      else nodes.push({ kind: "output", value: readWhole(tokens) });
    }
  }

  #readIf(tokens: Tokens): Node {
    const branches: Branch[] = [];
    let condition = readWhole(tokens);
    for (;;) {
      const { nodes, closing } = this.read();
      branches.push({ condition, body: nodes });
      if (closing === undefined) throw new Unsupported("an if is not closed");
      if (closing.name === "end") return this.#closed({ kind: "if", branches, otherwise: [] }, closing);
      const next = closing.rest.takeKeyword();
      if (next === "if") {
        condition = readWhole(closing.rest);
        continue;
      }
      if (next !== undefined) throw new Unsupported(KEYWORDS[next as keyof typeof KEYWORDS]);
      closing.rest.end();
      const last = this.read();
      if (last.closing?.name !== "end") throw new Unsupported("an if is not closed");
      return this.#closed({ kind: "if", branches, otherwise: last.nodes }, last.closing);
    }
  }

  #closed(node: Node, { rest }: Closing): Node {
    rest.end();
    return node;
  }
}

const KEYWORDS = {
  range: "it uses range. Write the key by hand, with the tag for",
  with: "it uses with. Use if, and write the variable in full",
  define: "it uses define. Put the text where it is used",
  block: "it uses block. Put the text where it is used",
  template: "it uses template. Put the text where it is used",
  break: "it uses break. Write the key by hand, with the tag for",
  continue: "it uses continue. Write the key by hand, with the tag for",
} as const;

type Keyword = keyof typeof KEYWORDS | "if" | "else" | "end";

const isKeyword = (text: string): text is Keyword =>
  Object.hasOwn(KEYWORDS, text) || ["if", "else", "end"].includes(text);

function readWhole(tokens: Tokens): Expression {
  const value = readPipeline(tokens);
  tokens.end();
  return value;
}

function readPipeline(tokens: Tokens): Expression {
  let value = readCommand(tokens, []);
  while (tokens.takeSign("|")) value = readCommand(tokens, [value]);
  return value;
}

/** A function with its arguments, or a value alone. */
function readCommand(tokens: Tokens, piped: readonly Expression[]): Expression {
  const name = tokens.takeFunction();
  if (name !== undefined) {
    const args: Expression[] = [];
    while (tokens.hasOperand()) args.push(readOperand(tokens));
    return { kind: "call", name, args: [...args, ...piped] };
  }
  const value = readOperand(tokens);
  if (tokens.hasOperand()) throw new Unsupported("a value is followed by another one, without a function");
  if (piped.length > 0) throw new Unsupported("a value follows a bar. Put a function there");
  return value;
}

function readOperand(tokens: Tokens): Expression {
  const token = tokens.take();
  if (token === undefined) throw new Unsupported("an action lacks a value");
  let value = operandOf(token, tokens);
  for (;;) {
    const member = tokens.takeMember();
    if (member === undefined) return value;
    value =
      value.kind === "dot" ? { kind: "variable", name: member } : { kind: "member", of: value, name: member };
  }
}

function operandOf({ kind, text }: Token, tokens: Tokens): Expression {
  switch (kind) {
    case "string":
      return { kind, text };
    case "integer":
      return { kind, value: Number(text) };
    case "field":
      return { kind: "variable", name: text };
    case "variable":
      // $ is the data of the template, as . is outside range and with.
      if (text === "") return { kind: "dot" };
      throw new Unsupported(`it uses the variable $${text}. Write its value in its place`);
    case "word":
      if (isKeyword(text) || ["true", "false", "nil"].includes(text)) {
        throw new Unsupported(`it uses ${text} as a value`);
      }
      return { kind: "call", name: text, args: [] };
    case "sign":
      if (text === ".") return { kind: "dot" };
      if (text !== "(") throw new Unsupported(`an action contains ${text} where a value is expected`);
  }
  const value = readPipeline(tokens);
  if (!tokens.takeSign(")")) throw new Unsupported("a parenthesis is not closed");
  return value;
}

class Tokens {
  readonly #all: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#all = all;
  }

  take(): Token | undefined {
    const token = this.#all[this.#at];
    if (token !== undefined) this.#at += 1;
    return token;
  }

  takeKeyword(): Keyword | undefined {
    const token = this.#all[this.#at];
    if (token?.kind !== "word" || !isKeyword(token.text)) return undefined;
    this.#at += 1;
    return token.text;
  }

  takeFunction(): string | undefined {
    const token = this.#all[this.#at];
    if (token?.kind !== "word" || isKeyword(token.text) || ["true", "false", "nil"].includes(token.text)) {
      return undefined;
    }
    this.#at += 1;
    return token.text;
  }

  takeSign(sign: string): boolean {
    const token = this.#all[this.#at];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  /** A field directly after a value. */
  takeMember(): string | undefined {
    const token = this.#all[this.#at];
    if (token?.kind !== "field" || token.isSpaced) return undefined;
    this.#at += 1;
    return token.text;
  }

  hasOperand(): boolean {
    const token = this.#all[this.#at];
    if (token === undefined) return false;
    if (token.kind === "sign" && token.text !== "(" && token.text !== ".") {
      if (token.text === "|" || token.text === ")") return false;
      throw new Unsupported(
        token.text === "=" || token.text === ":="
          ? "it assigns a variable"
          : `an action contains ${token.text}`,
      );
    }
    if (!token.isSpaced) throw new Unsupported(`there is no space before ${shortened(token.text)}`);
    return true;
  }

  end(): void {
    const token = this.#all[this.#at];
    if (token !== undefined) throw new Unsupported(`an action contains ${shortened(token.text)} at its end`);
  }
}
