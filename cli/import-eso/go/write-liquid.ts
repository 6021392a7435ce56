import { asText, type Chain, type Filter, literalOf, type Texts } from "./texts.ts";

/** One comparison of a condition. */
export type Term = {
  readonly left: Texts;
  readonly operator: "==" | "!=";
  readonly right: Texts;
};

export type Condition = { readonly terms: readonly Term[]; readonly joiner: "and" | "or" };

/** Writes a template of the relay. */
export class LiquidWriter {
  readonly #nameOf: (variable: string) => string;
  readonly #taken: ReadonlySet<string>;
  readonly #fragments: { readonly text: string; readonly isLiteral: boolean }[] = [];
  #temporaries = 0;

  constructor(nameOf: (variable: string) => string, variables: readonly string[]) {
    this.#nameOf = nameOf;
    this.#taken = new Set(variables.map((variable) => /^\w*/.exec(nameOf(variable))?.[0] ?? ""));
  }

  output(texts: Texts): void {
    for (const part of texts) {
      if (typeof part === "string") this.#fragments.push({ text: part, isLiteral: true });
      else this.#output(part);
    }
  }

  #output(chain: Chain): void {
    // A text of several parts needs no variable unless a filter takes it.
    if ("texts" in chain.base && chain.filters.length === 0) this.output(chain.base.texts);
    else this.tag(`{{ ${this.#valueOf(chain)} }}`);
  }

  tag(tag: string): void {
    this.#fragments.push({ text: tag, isLiteral: false });
  }

  /** Assigns the variables of a condition first, because a condition has no filters. */
  condition({ terms, joiner }: Condition): string {
    return terms
      .map(({ left, operator, right }) => `${this.#operand(left)} ${operator} ${this.#operand(right)}`)
      .join(` ${joiner} `);
  }

  end(): string {
    const merged: { text: string; isLiteral: boolean }[] = [];
    for (const fragment of this.#fragments) {
      const last = merged.at(-1);
      if (last?.isLiteral && fragment.isLiteral) last.text += fragment.text;
      else merged.push({ ...fragment });
    }
    return merged
      .map(({ text, isLiteral }, index) =>
        isLiteral ? withoutDelimiters(text, index < merged.length - 1) : text,
      )
      .join("");
  }

  #valueOf({ base, filters }: Chain): string {
    const value = "variable" in base ? this.#nameOf(base.variable) : this.#operand(base.texts);
    return [value, ...filters.map((filter) => this.#filter(filter))].join(" | ");
  }

  #filter({ name, args }: Filter): string {
    if (args.length === 0) return name;
    const written = args.map((arg) => (typeof arg === "number" ? String(arg) : this.#operand(arg)));
    return `${name}: ${written.join(", ")}`;
  }

  /** A literal, or a variable with the text. */
  #operand(texts: Texts): string {
    const literal = literalOf(texts);
    if (literal !== undefined) return quoted(literal);
    const [first = "", ...more] = texts;
    const start = typeof first === "string" ? quoted(first) : this.#valueOf(asText(first));
    const appended = more.map((part) => `append: ${this.#operand([part])}`);
    const name = this.#temporary();
    this.tag(`{% assign ${name} = ${[start, ...appended].join(" | ")} %}`);
    return name;
  }

  #temporary(): string {
    let name: string;
    do name = `text_${++this.#temporaries}`;
    while (this.#taken.has(name));
    return name;
  }
}

/** A string literal of Liquid. */
const quoted = (text: string): string => `"${text.replace(/["\\\n\r\t]/g, (found) => ESCAPES[found] ?? "")}"`;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** Writes each brace that would open a tag or an output as an output. */
const withoutDelimiters = (text: string, isFollowed: boolean): string =>
  text.replace(isFollowed ? /\{(?=[{%]|$)/g : /\{(?=[{%])/g, '{{ "{" }}');
