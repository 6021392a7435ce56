import type { KeyRename } from "../../shared/bindings/binding.ts";

/**
 * Converts a rewrite by a Go regular expression to a rename by a pattern, if both are the same for every key.
 *
 * Supported are an anchored prefix (`^db_`), an anchored suffix (`_old$`), an anchor alone, and `(.*)` with literal text
 * around it, with a target of plain text and the group. A literal without an anchor replaces every match in a key, which a
 * pattern cannot express.
 */
export function renameOf(source: string, target: string): KeyRename | undefined {
  const parts = /^(\^?)([^()^$]*)(\(\.\*\))?([^()^$]*)(\$?)$/.exec(source);
  if (parts === null) return undefined;
  const [, start = "", before = "", group, after = "", end = ""] = parts;
  const head = literalOf(group === undefined ? before + after : before);
  const tail = literalOf(group === undefined ? "" : after);
  if (head === undefined || tail === undefined) return undefined;
  if (group !== undefined) return groupRename({ start, head, tail, end }, target);
  if (!isPlain(target)) return undefined;
  if (start !== "" && end === "") return { pattern: `${head}*`, to: `${target}*` };
  if (start === "" && end !== "") return { pattern: `*${head}`, to: `*${target}` };
  return start !== "" && end !== "" && head !== "" ? { pattern: head, to: target } : undefined;
}

type GroupExpression = {
  readonly start: string;
  readonly head: string;
  readonly tail: string;
  readonly end: string;
};

/**
 * `(.*)` takes as much as it can: all of the key up to its end or, without `$`, up to the last `tail`. Go replaces no empty
 * match next to the match before it, so `(.*)` matches a key once.
 */
function groupRename({ start, head, tail, end }: GroupExpression, target: string): KeyRename | undefined {
  if (end === "" && tail !== "") return undefined; // text after the last `tail` would remain
  const to = withGroup(target);
  if (to === undefined) return undefined;
  // Without `^` the first `head` in the key counts, and the text before it remains.
  if (start === "" && head !== "") return { pattern: `*${head}*${tail}`, to: `*${to}` };
  return { pattern: `${head}*${tail}`, to };
}

/** The literal text of an expression without operators. */
function literalOf(expression: string): string | undefined {
  const characters = [...expression.matchAll(/\\([.\-/])|([A-Za-z0-9_/ -])|[\s\S]/g)];
  const literal = characters.map(([, escaped, plain]) => escaped ?? plain);
  return literal.includes(undefined) ? undefined : literal.join("");
}

/** `DB_$1` or `DB_${1}`. In Go `$1x` is a group named 1x. */
function withGroup(target: string): string | undefined {
  const found = /^([^$]*)(?:\$1(?!\w)|\$\{1\})([^$]*)$/.exec(target);
  if (found === null) return undefined;
  const [, before = "", after = ""] = found;
  return isPlain(before) && isPlain(after) ? `${before}*${after}` : undefined;
}

/** Characters that are legal in a key and literal in a target. */
const isPlain = (text: string): boolean => /^[A-Za-z0-9_.-]*$/.test(text);
