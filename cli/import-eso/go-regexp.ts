import { RE2JS } from "re2js";

/** A regular expression of Go, which External Secrets Operator uses for names and rewrites. */
export type GoRegexp = {
  /** Whether it matches a part of the text. */
  matches(text: string): boolean;
  /** As Go's ReplaceAllString. */
  replaceAll(text: string, template: string): string;
};

/** Undefined for an expression that Go refuses. */
export function compileGoRegexp(source: string): GoRegexp | undefined {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch {
    return undefined;
  }
  return {
    matches: (text) => compiled.test(text),
    replaceAll: (text, template) => replaceAll(compiled, text, template),
  };
}

/** Go replaces no empty match directly after another match; other libraries do. */
function replaceAll(compiled: RE2JS, text: string, template: string): string {
  const matcher = compiled.matcher(text);
  const names = compiled.namedGroups();
  let result = "";
  let copied = 0;
  let at = 0;
  while (at <= text.length && matcher.find(at)) {
    const [start, end] = [matcher.start(), matcher.end()];
    result += text.slice(copied, start);
    if (end > copied || start === 0) {
      result += template.replace(REFERENCE, (_, braced?: string, bare?: string) => {
        const name = braced ?? bare;
        return name === undefined ? "$" : groupOf(name);
      });
    }
    copied = end;
    at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  }
  return result + text.slice(copied);

  function groupOf(name: string): string {
    const index = /^(0|[1-9][0-9]{0,7})$/.test(name) ? Number(name) : names[name];
    return index === undefined || index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
  }
}

/** `$$`, `${name}`, or `$name` with the longest name. A `$` before anything else is text. */
const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;
