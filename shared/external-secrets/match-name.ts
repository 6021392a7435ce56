import { runBounded } from "../bindings/expressions/run-bounded.ts";

/**
 * Whether the regular expression of a `find` matches a part of the name, as Go's RE2 would. Undefined if JavaScript does
 * not support the expression, or takes too long: authors of ExternalSecrets choose it, and JavaScript's engine backtracks.
 */
export function matchesName(regexp: string, name: string): boolean | undefined {
  const translated = translate(regexp);
  if (translated === undefined) return undefined;
  try {
    const pattern = new RegExp(translated.source, translated.flags);
    return runBounded(() => pattern.test(name), MATCH_MS_MAX);
  } catch {
    return undefined; // not a valid JavaScript expression, or TookTooLong
  }
}

/** A name has at most 512 characters; a normal expression takes microseconds. */
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

/** Syntax that JavaScript silently reads differently: \Q…\E, \pL, \C, \x{…}, (?U), a negated [:^class:]. */
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
