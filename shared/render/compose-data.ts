import type { Binding, Encoding, KeyRule, KeySource } from "../bindings/binding.ts";
import { decodeBase64 } from "../bindings/expressions/decode-base64.ts";
import type { evaluateExpression } from "../bindings/expressions/jmespath.ts";
import {
  isTreeObject,
  type JsonTree,
  parseJsonTree,
  plainTextOf,
} from "../bindings/expressions/json-tree.ts";
import type { renderTemplate } from "../bindings/expressions/liquid.ts";
import { SecretValue } from "../source/secret-value.ts";
import { RenderError } from "./errors.ts";
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

type Composed = Extract<KeyRule, { kind: "composed" }>;
type Extracted = Extract<KeyRule, { kind: "extracted" }>;

/** Pure: the same source and binding give the same data. */
export const composeData =
  (languages: Languages) =>
  (binding: Binding, keys: ComposedRule, source: RenderSource): Map<string, SecretValue> => {
    const text = textOf(source.value.expose());
    if (keys.kind === "value") {
      // SecretBinary may hold base64 too; other bytes are refused.
      return new Map([[keys.key, decoded(keys.key, keys.decode, text ?? "\ufffd")]]);
    }
    const root = text === undefined ? undefined : parseJsonTree(text)?.root;
    if (root === undefined) throw notAnObject(binding, source);
    if (keys.kind === "composed") return composeKeys(languages, binding, source, keys, root);
    if (!isTreeObject(root)) throw notAnObject(binding, source);
    return extractKeys(source, keys, new Map(Object.entries(root)));
  };

function composeKeys(
  languages: Languages,
  binding: Binding,
  source: RenderSource,
  { keys }: Composed,
  root: JsonTree,
): Map<string, SecretValue> {
  const data = new Map<string, SecretValue>();
  const missing: string[] = [];
  for (const [key, made] of Object.entries(keys)) {
    const text = textFor(languages, binding, source, { key, made, root });
    if (text === undefined) missing.push("key" in made ? made.key : `anything for ${key} by its expression`);
    else data.set(key, decoded(key, made.decode, text));
  }
  if (missing.length > 0) {
    throw new RenderError(
      "SOURCE_KEY_MISSING",
      `${source.arn} has no key ${missing.join(", ")}. Add it to the source, or correct keys in the binding.`,
    );
  }
  return data;
}

function textFor(
  { evaluateExpression, renderTemplate }: Languages,
  binding: Binding,
  source: RenderSource,
  { key, made, root }: { key: string; made: KeySource; root: JsonTree },
): string | undefined {
  if ("jmespath" in made) {
    if (evaluateExpression === undefined) throw new TypeError("JMESPath was not loaded");
    const result = evaluateExpression(made.jmespath, root);
    if (result.kind === "failed") {
      throw new RenderError("EXPRESSION_FAILED", `The expression of the key ${key} ${result.reason}.`);
    }
    return result.kind === "nothing" ? undefined : plainTextOf(result.value);
  }
  if (!isTreeObject(root)) throw notAnObject(binding, source);
  if ("key" in made) {
    const found = root[made.key];
    return found === undefined ? undefined : plainTextOf(found);
  }
  if (renderTemplate === undefined) throw new TypeError("LiquidJS was not loaded");
  const result = renderTemplate(made.template, root);
  if (result.kind === "made") return result.text;
  if (result.kind === "missing") {
    throw new RenderError(
      "TEMPLATE_VARIABLE_MISSING",
      `The template of the key ${key} uses ${result.name} in line ${result.line}, which ${source.arn} does not have. Add it to the source, give it a default, or correct the template.`,
    );
  }
  const line = result.line === undefined ? "" : ` See line ${result.line} of the template.`;
  throw new RenderError("TEMPLATE_FAILED", `The template of the key ${key} ${result.reason}.${line}`);
}

function decoded(key: string, decode: Encoding | undefined, text: string): SecretValue {
  if (decode === undefined) return SecretValue.fromText(text);
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
): Map<string, SecretValue> {
  const missing = include.filter((pattern) => !pattern.includes("*") && !properties.has(pattern));
  if (missing.length > 0) {
    throw new RenderError(
      "SOURCE_KEY_MISSING",
      `${source.arn} has no key ${missing.join(", ")}. Add it to the source, or correct extract in the binding.`,
    );
  }
  const data = new Map<string, SecretValue>();
  for (const [sourceKey, value] of properties) {
    if (!matchesAny(include, sourceKey) || matchesAny(exclude, sourceKey)) continue;
    const key = renameKey(rename, sourceKey);
    if (data.has(key)) {
      const named = isDataKey(key) ? ` ${key}` : "";
      throw new RenderError(
        "DATA_KEYS_COLLIDE",
        `Two keys of ${source.arn} get the same name${named}. Change rename, or exclude one of them.`,
      );
    }
    data.set(key, SecretValue.fromText(plainTextOf(value)));
  }
  return data;
}
