import type { FieldReader } from "./fields.ts";
import { literalTexts } from "./literal-texts.ts";

/**
 * The templates of `templateFrom`, as those of `data`: key -> text. The operator renders a literal as a whole, and reads
 * the result as a YAML map of keys and values.
 */
export function readTemplateFrom(
  template: FieldReader,
  note: (code: "LITERAL_LINES") => void,
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const entry of template.list("templateFrom")) {
    for (const kind of ["configMap", "secret"]) {
      if (!entry.has(kind)) continue;
      const name = entry.map(kind).string("name") ?? "";
      const reason = `the template is in the ${kind} ${name}, which the relay does not read. Copy each text into target.template.data under the key of its item`;
      entry.refuse("TEMPLATE_FROM", reason, kind);
    }
    const target = entry.string("target") ?? "Data";
    if (target.toLowerCase() !== "data") {
      const reason = /^(labels|annotations)$/i.test(target)
        ? "the relay writes no values into metadata. Put constant text into target.template.metadata"
        : "the relay writes only the data of a Secret";
      entry.refuse("TEMPLATE_FROM", reason, "target");
    }
    const decoding = entry.string("valuesDecodingStrategy") ?? "None";
    if (decoding !== "None") {
      const reason = "the relay decodes no result of a template. Decode in the template, with b64dec";
      entry.refuse("DECODING_STRATEGY", reason, "valuesDecodingStrategy");
    }
    const literal = entry.string("literal");
    entry.end();
    if (literal === undefined) {
      if (!entry.has("configMap") && !entry.has("secret")) {
        entry.refuse("TEMPLATE_FROM", "it has no template. Remove it");
      }
      continue;
    }
    const read = literalTexts(literal);
    if (read.kind === "refused") {
      entry.refuse(
        "TEMPLATE_FROM",
        `${read.reason}. Put the text of each key into target.template.data`,
        "literal",
      );
      continue;
    }
    if (read.hasLines) note("LITERAL_LINES");
    for (const [key, text] of read.texts) texts.set(key, text);
  }
  return texts;
}
