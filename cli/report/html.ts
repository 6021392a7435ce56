import { escapeText } from "../markup/escape-text.ts";

/** Safe markup: created by `html`, never from an external string. */
export type Html = { readonly markup: string };

type Part = Html | string | number | undefined | false | readonly Part[];

/** Escapes every value that is not Html. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return {
    markup: strings.reduce((markup, string, at) => markup + string + markupOf(parts[at]), ""),
  };
}

/**
 * JSON for a `<script type="application/json">`. An HTML parser ends the element at `</script` and changes its state at
 * `<!--`, also within a JSON string, so `<` is escaped.
 */
export function jsonForScript(value: unknown): Html {
  const escaped = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return { markup: escaped };
}

function markupOf(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string" || typeof part === "number") return escapeText(String(part));
  return "markup" in part ? part.markup : part.map(markupOf).join("");
}
