/** A template of engine v2 of External Secrets Operator, translated to the relay's templates, or the reason why not. */
export type TemplateRule =
  | {
      readonly kind: "template";
      /** Writes the template; `nameOf` is the name of a variable in the source. */
      readonly write: (nameOf: (variable: string) => string) => string;
      readonly variables: readonly string[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Supported are text and variables: `{{ .password }}` and `{{ index . "pass-word" }}`, optionally piped through toString
 * or b64enc. No other feature of Go templates and Sprig has an equivalent that is correct for every value.
 */
export function templateRule(text: string): TemplateRule {
  const parts = text.split(/(\{\{[\s\S]*?\}\})/);
  const pieces: Piece[] = [];
  for (const part of parts) {
    if (!part.startsWith("{{")) {
      if (/\{\{|\}\}|\{%|%\}/.test(part)) return refused("its text contains template delimiters");
      pieces.push({ text: part });
      continue;
    }
    const action = ACTION.exec(part);
    if (action === null) return refused(`the action is not a plain variable: ${shortened(part)}`);
    const [, dotted, indexed, filters = ""] = action;
    const used = filters.split("|").map((filter) => filter.trim());
    if (used.filter((filter) => filter === "b64enc").length > 1) return refused("it encodes a value twice");
    pieces.push({ variable: dotted ?? indexed ?? "", isEncoded: used.includes("b64enc") });
  }
  return {
    kind: "template",
    variables: [...new Set(pieces.flatMap((piece) => ("variable" in piece ? [piece.variable] : [])))],
    write: (nameOf) =>
      pieces
        .map((piece) =>
          "text" in piece
            ? piece.text
            : `{{ ${nameOf(piece.variable)}${piece.isEncoded ? " | base64_encode" : ""} }}`,
        )
        .join(""),
  };
}

type Piece = { readonly text: string } | { readonly variable: string; readonly isEncoded: boolean };

const ACTION =
  /^\{\{\s*(?:\.([A-Za-z_]\w*)|index\s+\.\s+"([-._A-Za-z0-9]+)")((?:\s*\|\s*(?:toString|b64enc))*)\s*\}\}$/;

/** Whether a key of the source is a valid variable name without quotes. */
export function isVariableName(key: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !RESERVED.has(key);
}

const RESERVED: ReadonlySet<string> = new Set(
  "true false nil null empty blank and or not contains forloop tablerowloop".split(" "),
);

const refused = (reason: string): TemplateRule => ({ kind: "refused", reason });

const shortened = (text: string): string =>
  text.length > 60 ? `${text.slice(0, 57).replaceAll("\n", " ")}…` : text.replaceAll("\n", " ");
