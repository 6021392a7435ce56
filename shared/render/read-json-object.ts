import { SecretValue } from "../source/secret-value.ts";

/**
 * The properties of a JSON object as written into a Secret: strings as is, other values in the source's spelling (`1.10`
 * stays `1.10`, a nested object stays JSON, null becomes empty). Undefined for anything but a JSON object, and for
 * nesting of some thousands of levels, which is too deep for the stack. The last of duplicate keys wins.
 */
export function readJsonObject(text: string): Map<string, SecretValue> | undefined {
  try {
    return readProperties(text);
  } catch {
    return undefined; // JSON.parse's own message quotes the text
  }
}

function readProperties(text: string): Map<string, SecretValue> | undefined {
  const spelled = new Map<object, Map<string, string>>();
  const parsed: unknown = JSON.parse(text, function keepSpelling(
    this: object,
    key,
    value: unknown,
    context?: { source?: string },
  ) {
    // Node 24's JSON.parse passes the source text of primitives to a reviver (ECMA-262).
    if (typeof value === "number" && context?.source !== undefined) {
      const ofHolder = spelled.get(this) ?? new Map<string, string>();
      spelled.set(this, ofHolder.set(key, context.source));
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const properties = new Map<string, SecretValue>();
  for (const [key, value] of Object.entries(parsed)) {
    properties.set(key, SecretValue.fromText(textOf(parsed, key, value, spelled)));
  }
  return properties;
}

function textOf(
  holder: object,
  key: string,
  value: unknown,
  spelled: ReadonlyMap<object, ReadonlyMap<string, string>>,
): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  if (typeof value === "number") return spelled.get(holder)?.get(key) ?? String(value);
  if (typeof value !== "object") return String(value);
  const children = Object.entries(value).map(([childKey, child]) => {
    const text =
      typeof child === "string"
        ? JSON.stringify(child)
        : child === null
          ? "null"
          : textOf(value, childKey, child, spelled);
    return Array.isArray(value) ? text : `${JSON.stringify(childKey)}:${text}`;
  });
  return Array.isArray(value) ? `[${children.join(",")}]` : `{${children.join(",")}}`;
}
