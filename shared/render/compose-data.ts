import type { Binding, Decoding, KeyRule, KeySource, NamedKeys } from "../bindings/binding.ts";
import { decodeBase64, guessBase64 } from "../bindings/expressions/decode-base64.ts";
import type { evaluateExpression } from "../bindings/expressions/jmespath.ts";
import {
  isTreeObject,
  type JsonTree,
  type JsonTreeObject,
  parseJsonTree,
  plainTextOf,
  sourceTreeOf,
} from "../bindings/expressions/json-tree.ts";
import type { renderTemplate } from "../bindings/expressions/liquid.ts";
import { SecretValue } from "../source/secret-value.ts";
import { RenderError } from "./errors.ts";
import { invalidKeys } from "./invalid-keys.ts";
import type { ComposedRule } from "./is-composed.ts";
import { isDataKey } from "./is-data-key.ts";
import { matchesAny, renameKey } from "./match-pattern.ts";
import { notAnObject, type RenderSource } from "./render-source.ts";
import { textOf } from "./why-no-object.ts";

/** The languages that a binding uses; each is loaded only if needed. */
export type Languages = {
  readonly evaluateExpression?: typeof evaluateExpression;
  readonly renderTemplate?: typeof renderTemplate;
};

type Extracted = Extract<KeyRule, { kind: "extracted" }>;

/** Pure: the same source and binding give the same data. */
export const composeData =
  (languages: Languages) =>
  (binding: Binding, keys: ComposedRule, source: RenderSource): Map<string, SecretValue> => {
    const text = textOf(source.value.expose());
    if (keys.kind === "value") {
      if (keys.decode === "auto") {
        // Bytes that are not ASCII match no alphabet.
        const latin1 = Buffer.from(source.value.expose()).toString("latin1");
        return new Map([[keys.key, decodedIfEncoded(latin1) ?? source.value]]);
      }
      // SecretBinary may hold base64 too; other bytes are refused.
      return new Map([[keys.key, decoded(keys.key, keys.decode, text ?? "\ufffd")]]);
    }
    const root = text === undefined ? undefined : parseJsonTree(text)?.root;
    if (root === undefined) throw notAnObject(binding, source);
    if (keys.kind === "composed") {
      return composeKeys(languages, keys.keys, {
        root,
        arnAt: () => source.arn,
        whyNoMembers: () => (isTreeObject(root) ? undefined : notAnObject(binding, source)),
      });
    }
    const object = objectOf(languages, keys, root);
    if (object === undefined) throw notAnObject(binding, source);
    const texts = extractKeys(source, keys, new Map(Object.entries(object)));
    if (![...texts.keys()].every(isDataKey)) {
      throw invalidKeys(binding, { keys }, source, {
        sourceKeys: Object.keys(object),
        dataKeys: texts.keys(),
      });
    }
    return new Map([...texts].map(([key, text]) => [key, decoded(key, keys.decode, text)]));
  };

/** Pure: makes the keys of a binding of the whole values of its named sources. */
export const composeNamed =
  (languages: Languages) =>
  (binding: Binding, keys: NamedKeys, named: ReadonlyMap<string, RenderSource>): Map<string, SecretValue> => {
    const root: JsonTreeObject = Object.create(null);
    for (const [name, { arn, value }] of named) {
      const text = textOf(value.expose());
      if (text === undefined) {
        throw new RenderError(
          "DECODE_FAILED",
          `The value of ${arn} is not UTF-8 text, so it cannot be used under a name. Write it with value, or correct the source.`,
        );
      }
      root[name] = sourceTreeOf(text);
    }
    const sourceAt = (path: string) => named.get(firstNameOf(path));
    return composeKeys(languages, keys, {
      root,
      arnAt: (path) => sourceAt(path)?.arn ?? [...named.values()].map(({ arn }) => arn).join(","),
      whyNoMembers: (path) => {
        const source = sourceAt(path);
        return source === undefined || typeof root[firstNameOf(path)] !== "string"
          ? undefined
          : notAnObject(binding, source);
      },
    });
  };

const firstNameOf = (path: string): string => /^\w+/.exec(path)?.[0] ?? "";

/** What expressions and templates read, and how it is named in errors. */
type Values = {
  readonly root: JsonTree;
  readonly arnAt: (path: string) => string;
  /** The error for a path into a value that has no members. */
  readonly whyNoMembers: (path: string) => RenderError | undefined;
};

function composeKeys(languages: Languages, keys: NamedKeys, values: Values): Map<string, SecretValue> {
  const data = new Map<string, SecretValue>();
  const missing: string[] = [];
  for (const [key, made] of Object.entries(keys)) {
    const text = textFor(languages, key, made, values);
    if (text === undefined) missing.push("key" in made ? made.key : `anything for ${key} by its expression`);
    else data.set(key, decoded(key, made.decode, text));
  }
  if (missing.length > 0) {
    throw new RenderError(
      "SOURCE_KEY_MISSING",
      `${values.arnAt("")} has no key ${missing.join(", ")}. Add it to the source, or correct keys in the binding.`,
    );
  }
  return data;
}

function textFor(
  { evaluateExpression, renderTemplate }: Languages,
  key: string,
  made: KeySource,
  { root, arnAt, whyNoMembers }: Values,
): string | undefined {
  if ("jmespath" in made) {
    if (evaluateExpression === undefined) throw new TypeError("JMESPath was not loaded");
    const result = evaluateExpression(made.jmespath, root);
    if (result.kind === "failed") {
      throw new RenderError("EXPRESSION_FAILED", `The expression of the key ${key} ${result.reason}.`);
    }
    return result.kind === "nothing" ? undefined : plainTextOf(result.value);
  }
  if (!isTreeObject(root)) throw whyNoMembers("") ?? new TypeError("A value without members has a reason");
  if ("key" in made) {
    const found = root[made.key];
    return found === undefined ? undefined : plainTextOf(found);
  }
  if (renderTemplate === undefined) throw new TypeError("LiquidJS was not loaded");
  const result = renderTemplate(made.template, root);
  if (result.kind === "made") return result.text;
  if (result.kind === "missing") {
    const noMembers = whyNoMembers(result.name);
    if (noMembers !== undefined) throw noMembers;
    throw new RenderError(
      "TEMPLATE_VARIABLE_MISSING",
      `The template of the key ${key} uses ${result.name} in line ${result.line}, which ${arnAt(result.name)} does not have. Add it to the source, give it a default, or correct the template.`,
    );
  }
  const line = result.line === undefined ? "" : ` See line ${result.line} of the template.`;
  throw new RenderError("TEMPLATE_FAILED", `The template of the key ${key} ${result.reason}.${line}`);
}

/** The object that holds the keys of an extract; undefined if the whole source is meant, and is none. */
function objectOf(
  { evaluateExpression }: Languages,
  { jmespath }: Extracted,
  root: JsonTree,
): JsonTreeObject | undefined {
  if (jmespath === undefined) return isTreeObject(root) ? root : undefined;
  if (evaluateExpression === undefined) throw new TypeError("JMESPath was not loaded");
  const result = evaluateExpression(jmespath, root);
  if (result.kind === "failed") {
    throw new RenderError("EXPRESSION_FAILED", `The expression of extract ${result.reason}.`);
  }
  const value = result.kind === "nothing" ? undefined : result.value;
  const found = typeof value === "string" ? parseJsonTree(value)?.root : value;
  if (isTreeObject(found)) return found;
  throw new RenderError(
    "EXPRESSION_FAILED",
    `The expression of extract finds ${value === undefined ? "nothing" : "no JSON object"}. Correct the source, or jmespath in the binding.`,
  );
}

function decodedIfEncoded(text: string): SecretValue | undefined {
  const bytes = guessBase64(text);
  return bytes === undefined ? undefined : new SecretValue(bytes);
}

function decoded(key: string, decode: Decoding | undefined, text: string): SecretValue {
  if (decode === undefined) return SecretValue.fromText(text);
  if (decode === "auto") return decodedIfEncoded(text) ?? SecretValue.fromText(text);
  const bytes = decodeBase64(text, decode);
  if (bytes === undefined) {
    throw new RenderError(
      "DECODE_FAILED",
      `The value for the key ${key} is not ${decode}. Correct the source, or remove decode from the binding.`,
    );
  }
  return new SecretValue(bytes);
}

function extractKeys(
  source: RenderSource,
  { include, exclude, rename }: Extracted,
  properties: ReadonlyMap<string, JsonTree>,
): Map<string, string> {
  const missing = include.filter((pattern) => !pattern.includes("*") && !properties.has(pattern));
  if (missing.length > 0) {
    throw new RenderError(
      "SOURCE_KEY_MISSING",
      `${source.arn} has no key ${missing.join(", ")}. Add it to the source, or correct extract in the binding.`,
    );
  }
  const texts = new Map<string, string>();
  for (const [sourceKey, value] of properties) {
    if (!matchesAny(include, sourceKey) || matchesAny(exclude, sourceKey)) continue;
    const key = renameKey(rename, sourceKey);
    if (texts.has(key)) {
      const named = isDataKey(key) ? ` ${key}` : "";
      throw new RenderError(
        "DATA_KEYS_COLLIDE",
        `Two keys of ${source.arn} get the same name${named}. Change rename, or exclude one of them.`,
      );
    }
    texts.set(key, plainTextOf(value));
  }
  return texts;
}
