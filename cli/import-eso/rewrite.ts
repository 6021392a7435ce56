import type { KeyRename } from "../../shared/bindings/binding.ts";

/**
 * A rewrite of Go's regular expressions as a rename by patterns, where the two are the same for every key. Undefined
 * where they are not, or may not be.
 *
 * Taken are an anchored beginning (`^db_`), an anchored end (`_old$`), and both with `(.*)` between them, and a target
 * of plain text that puts what stood between in its place. An expression without an anchor replaces every place in a
 * key, for which a pattern has no word.
 */
export function renameOf(source: string, target: string): KeyRename | undefined {
  const parts = /^(\^?)([^()^$]*)(\(\.\*\))?([^()^$]*)(\$?)$/.exec(source);
  if (parts === null) return undefined;
  const [, start = "", before = "", group, after = "", end = ""] = parts;
  const head = literalOf(group === undefined ? before + after : before);
  const tail = literalOf(group === undefined ? "" : after);
  if (head === undefined || tail === undefined) return undefined;

  if (group !== undefined) {
    // `.*` is greedy, so without anchors it would still take all; with them there is no doubt about what is left over.
    if (start === "" || end === "") return undefined;
    const to = withGroup(target);
    return to === undefined ? undefined : { pattern: `${head}*${tail}`, to };
  }
  if (!isPlain(target) || head === "") return undefined;
  if (start !== "" && end === "") return { pattern: `${head}*`, to: `${target}*` };
  if (start === "" && end !== "") return { pattern: `*${head}`, to: `*${target}` };
  return start !== "" && end !== "" ? { pattern: head, to: target } : undefined;
}

/** The text that an expression without operators stands for. */
function literalOf(expression: string): string | undefined {
  const characters = [...expression.matchAll(/\\([.\-/])|([A-Za-z0-9_/ -])|[\s\S]/g)];
  const literal = characters.map(([, escaped, plain]) => escaped ?? plain);
  return literal.includes(undefined) ? undefined : literal.join("");
}

/** `DB_$1` or `DB_${1}`. In Go `$1x` is a group of the name 1x. */
function withGroup(target: string): string | undefined {
  const found = /^([^$]*)(?:\$1(?!\w)|\$\{1\})([^$]*)$/.exec(target);
  if (found === null) return undefined;
  const [, before = "", after = ""] = found;
  return isPlain(before) && isPlain(after) ? `${before}*${after}` : undefined;
}

/** Characters that may stand in a key, and mean themselves in a target. */
const isPlain = (text: string): boolean => /^[A-Za-z0-9_.-]*$/.test(text);
