/** A text that a template makes: literals and values of the source, one after the other. */
export type Texts = readonly (string | Chain)[];

/** A value and the relay's filters on it. */
export type Chain = {
  readonly base: { readonly variable: string } | { readonly texts: Texts };
  readonly filters: readonly Filter[];
  /** Whether it is a text in the relay too, where a variable can be a number or an object. */
  readonly isText: boolean;
};

export type Filter = { readonly name: string; readonly args: readonly (number | Texts)[] };

/** What an expression of a Go template gives. */
export type Value =
  | { readonly kind: "text"; readonly texts: Texts }
  /** A text, or a number: the result of default with a number. */
  | { readonly kind: "loose"; readonly texts: Texts }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "items"; readonly items: readonly Texts[] }
  /** The parts of a text: a list by splitList, or a map by split. */
  | { readonly kind: "list" | "map"; readonly of: Texts; readonly separator: string };

export const text = (...texts: Texts): Value => ({ kind: "text", texts });

/** Applies one of the relay's own filters, which take any value as its text. */
export const filtered = (texts: Texts, name: string, ...args: Filter["args"]): Texts => {
  const chain = chainOf(texts);
  return [{ ...chain, filters: [...chain.filters, { name, args }], isText: true }];
};

/** Applies a filter of Liquid, which takes only a text as one. */
export const filteredByLiquid = (texts: Texts, name: string, ...args: Filter["args"]): Texts =>
  filtered([asText(chainOf(texts))], name, ...args);

export const asText = (chain: Chain): Chain =>
  chain.isText ? chain : { ...chain, filters: [...chain.filters, { name: "text", args: [] }], isText: true };

function chainOf(texts: Texts): Chain {
  const [only, another] = texts;
  if (typeof only === "object" && another === undefined) return only;
  return { base: { texts }, filters: [], isText: true };
}

/** The text itself if it has no variable. */
export function literalOf(texts: Texts): string | undefined {
  return texts.every((part) => typeof part === "string") ? texts.join("") : undefined;
}
