import { runBounded } from "../expressions/run-bounded.ts";

/**
 * Whether the regular expression of a `find` matches a source's name anywhere in it, as Go's RE2 would; undefined when
 * that can't be said, because JavaScript knows no such expression or would take too long over it.
 *
 * Whoever may write an ExternalSecret chooses the expression, and JavaScript's engine backtracks: it is stopped.
 */
export function matchesName(regexp: string, name: string): boolean | undefined {
  const translated = translate(regexp);
  if (translated === undefined) return undefined;
  try {
    const pattern = new RegExp(translated.source, translated.flags);
    return runBounded(() => pattern.test(name), MATCH_MS_MAX);
  } catch {
    return undefined; // no expression here, or TookTooLong
  }
}

/** A name has at most 512 characters; a sound expression takes microseconds. */
const MATCH_MS_MAX = 50;

function translate(regexp: string): { source: string; flags: string } | undefined {
  if (regexp.length > LENGTH_MAX || FOREIGN.test(regexp)) return undefined;
  const [, flags = "", rest = ""] = /^(?:\(\?([ims]+)\))?([\s\S]*)$/.exec(regexp) ?? [];
  const source = rest
    .replaceAll("(?P<", "(?<")
    .replaceAll("\\A", "^")
    .replaceAll("\\z", "$(?![\\s\\S])")
    .replace(/\[:(\^?)([a-z]+):\]/g, (whole, not: string, name: string) =>
      not === "" ? (POSIX_CLASSES[name] ?? whole) : whole,
    );
  return { source, flags: [...new Set(flags)].join("") };
}

const LENGTH_MAX = 1_000;

/** What JavaScript would read otherwise, without saying so: \Q…\E, \pL, \C, \x{…}, (?U), a negated [:^class:]. */
const FOREIGN = /\\[QEpPC]|\\x\{|\(\?[a-z]*[U-][a-z-]*[:)]|\[:\^/;

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  digit: "0-9",
  lower: "a-z",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
