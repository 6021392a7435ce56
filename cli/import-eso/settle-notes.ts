import type { Binding, BoundSource, KeySource } from "../../shared/bindings/binding.ts";
import { evaluateExpression } from "../../shared/bindings/expressions/jmespath.ts";
import {
  isTreeObject,
  type JsonTree,
  type JsonTreeObject,
  jsonTextOf,
  parseJsonTree,
  plainTextOf,
  SpelledNumber,
} from "../../shared/bindings/expressions/json-tree.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { RenderError, type RenderErrorCode } from "../../shared/render/errors.ts";
import { isDataKey } from "../../shared/render/is-data-key.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";
import { textOf } from "../../shared/render/why-no-object.ts";
import type { CurrentSource } from "../../shared/source/source.ts";
import { NOTES, type NoteCode } from "./notes.ts";
import { type RawObject, readRawObject } from "./raw-object.ts";

/** Whether the present values are among those for which the operator makes another Secret. */
export type SettledNote = { readonly code: NoteCode; readonly now: "unaffected" | "affected" | "unknown" };

export type SettleRequest = {
  readonly binding: Binding;
  readonly reads: readonly (CurrentSource | RelayError)[];
  /** By the binding, and with its type Opaque, which is not checked. */
  readonly desired: DesiredSecret | RenderError | undefined;
  readonly unchecked: DesiredSecret | RenderError | undefined;
  /** Whether the operator's Secret has the same data. */
  readonly isSame: boolean;
};

/** Pure. If in doubt a note stays `affected`, unless the Secret of the operator is the same. */
export function settleNotes(codes: readonly NoteCode[], request: SettleRequest): SettledNote[] {
  const values = codes.filter((code) => NOTES[code].kind === "value");
  if (request.isSame) return values.map((code) => ({ code, now: "unaffected" }));
  const sources = request.binding.sources.map((bound, index) => valueOfSource(bound, request.reads[index]));
  if (!sources.every((source) => source !== undefined))
    return values.map((code) => ({ code, now: "unknown" }));
  return values.map((code) => ({ code, now: stateOf(code, request, sources) }));
}

/** The value of one source. */
type SourceText = {
  readonly bound: BoundSource;
  /** Absent for bytes. */
  readonly text?: string;
  /** For a JSON object. */
  readonly whole?: JsonText;
  /** The object of which `extract` takes the keys, if that is not the whole source. */
  readonly object?: { readonly root: JsonTreeObject; readonly raw?: RawObject };
};

type JsonText = { readonly root: JsonTreeObject; readonly raw: RawObject };

function valueOfSource(
  bound: BoundSource,
  read: CurrentSource | RelayError | undefined,
): SourceText | undefined {
  if (read === undefined || read instanceof RelayError) return undefined;
  const text = textOf(read.value.expose());
  if (text === undefined) return { bound };
  const whole = readJson(text);
  if (whole === undefined) return { bound, text };
  const object = objectIn(whole, bound);
  return { bound, text, whole, ...(object !== undefined && { object }) };
}

function readJson(text: string): JsonText | undefined {
  const root = parseJsonTree(text)?.root;
  return isTreeObject(root) ? { root, raw: readRawObject(text) } : undefined;
}

function objectIn({ root }: JsonText, { keys }: BoundSource): SourceText["object"] {
  if (keys.kind !== "extracted" || keys.jmespath === undefined) return undefined;
  const result = evaluateExpression(keys.jmespath, root);
  const found = result.kind === "found" ? result.value : undefined;
  if (typeof found === "string") return readJson(found);
  return isTreeObject(found) ? { root: found } : undefined;
}

function stateOf(code: NoteCode, request: SettleRequest, sources: readonly SourceText[]): SettledNote["now"] {
  const { desired, unchecked } = request;
  const codes = REFUSED_BY[code];
  if (codes !== undefined) {
    if (desired instanceof RenderError) return codes.includes(desired.code) ? "affected" : "unknown";
    if (desired === undefined || unchecked === undefined || unchecked instanceof RenderError)
      return "unknown";
    return BY_TYPE.has(code) && !hasSameData(desired, unchecked) ? "affected" : "unaffected";
  }
  const isAffected = BY_VALUE[code];
  if (isAffected === undefined) return "unknown";
  return sources.some((source) => isAffected(source, request.binding)) ? "affected" : "unaffected";
}

/** The notes on values that the relay refuses, or mends by their type. */
const REFUSED_BY: Partial<Record<NoteCode, readonly RenderErrorCode[]>> = {
  INDEX_OR_KEY: ["SOURCE_KEY_MISSING", "EXPRESSION_FAILED"],
  RENAMED_ALIKE: ["DATA_KEYS_COLLIDE"],
  EMPTY_REFUSED: ["TARGET_EMPTY"],
  B64DEC_REFUSED: ["TEMPLATE_FAILED", "DECODE_FAILED"],
  ABSENT_KEY_REFUSED: ["TEMPLATE_VARIABLE_MISSING"],
  TLS_CHECKED: ["TYPE_KEY_MISSING", "TLS_CERTIFICATE_INVALID", "TLS_KEY_INVALID", "TLS_PAIR_MISMATCH"],
  DOCKER_CONFIG_CHECKED: ["TYPE_KEY_MISSING", "DOCKER_CONFIG_INVALID"],
  SSH_KEY_CHECKED: ["TYPE_KEY_MISSING", "SSH_KEY_INVALID"],
  BASIC_AUTH_CHECKED: ["TYPE_KEY_MISSING", "BASIC_AUTH_INVALID"],
};

/** The relay also mends such values, so that it writes another text than the source's. */
const BY_TYPE: ReadonlySet<NoteCode> = new Set<NoteCode>([
  "TLS_CHECKED",
  "DOCKER_CONFIG_CHECKED",
  "SSH_KEY_CHECKED",
  "BASIC_AUTH_CHECKED",
]);

const hasSameData = (one: DesiredSecret, other: DesiredSecret): boolean =>
  [...one.data].every(([key, value]) => other.data.get(key)?.equals(value) ?? false);

const BY_VALUE: Partial<Record<NoteCode, (source: SourceText, binding: Binding) => boolean>> = {
  NUMBER_SPELLING: (source, binding) => propertiesIn(source, binding).some(isSpelledOtherwise),
  NESTED_SPELLING: (source, binding) =>
    propertiesIn(source, binding).some(isNested) && hasOtherSpelling(source),
  KEY_REPEATED: hasRepeatedKey,
  PATH_TWICE: hasRepeatedKey,
  NULL_REFUSED: ({ whole }) => whole !== undefined && hasNull(whole.root),
  ILLEGAL_KEYS_REFUSED: ({ whole, object = whole }) =>
    Object.keys(object?.root ?? {}).some((key) => !isDataKey(key)),
  LITERAL_LINES: (source, binding) => textsIn(source, binding).some((text) => BROKEN.test(text)),
};

/** Line breaks, control characters, and what YAML doesn't allow. */
const BROKEN = /[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/u;

function hasRepeatedKey({ whole }: SourceText): boolean {
  return whole?.raw.hasRepeatedKey ?? false;
}

/** What the templates of the binding read, and the whole value of a source that one of them names. */
function textsIn(source: SourceText, binding: Binding): string[] {
  const { name } = source.bound;
  const isWhole =
    name !== undefined &&
    Object.values(binding.namedKeys ?? {}).some(
      (made) => "template" in made && new RegExp(`\\b${name}\\b(?![.[])`).test(made.template),
    );
  return [...propertiesIn(source, binding).map(plainTextOf), ...(isWhole ? [source.text ?? "\0"] : [])];
}

/** What the binding reads of a source. */
function propertiesIn({ bound, whole, object = whole }: SourceText, { namedKeys = {} }: Binding): JsonTree[] {
  if (whole === undefined) return [];
  const { root } = whole;
  const named = bound.name === undefined ? [] : Object.values(namedKeys);
  const { keys } = bound;
  switch (keys.kind) {
    case "all":
    case "extracted":
      return Object.values(object?.root ?? {});
    case "selected":
      return Object.values(keys.keys).map((key) => root[key] ?? null);
    case "composed":
      return Object.values(keys.keys).flatMap((made) => valuesOf(made, root));
    default:
      return named.flatMap((made) => valuesOf(made, root));
  }
}

function valuesOf(made: KeySource, root: JsonTreeObject): JsonTree[] {
  if ("key" in made) return [root[made.key] ?? null];
  if ("template" in made) {
    return Object.entries(root).flatMap(([key, value]) => (made.template.includes(key) ? [value] : []));
  }
  const result = evaluateExpression(made.jmespath, root);
  return result.kind === "found" ? [result.value] : [];
}

/** The operator writes a whole number as it is, and another one as Go's FormatFloat with `f`. */
function isSpelledOtherwise(value: JsonTree): boolean {
  if (typeof value !== "number" && !(value instanceof SpelledNumber)) return false;
  const text = plainTextOf(value);
  return !/^-?\d+$/.test(text) && !(/^-?\d+\.\d+$/.test(text) && String(Number(text)) === text);
}

const isNested = (value: JsonTree): boolean => Array.isArray(value) || isTreeObject(value);

/** Whether the source spells any object or list otherwise than the relay. */
const hasOtherSpelling = ({ whole, object }: SourceText): boolean =>
  [whole, object].some((one) =>
    Object.entries(one?.root ?? {}).some(
      ([key, value]) =>
        isNested(value) && one?.raw !== undefined && one.raw.members.get(key) !== jsonTextOf(value),
    ),
  );

const hasNull = (value: JsonTree): boolean =>
  value === null ||
  (typeof value === "object" && !(value instanceof SpelledNumber) && Object.values(value).some(hasNull));
