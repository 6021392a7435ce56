import { fieldsOf, type KubernetesObject } from "./object.ts";
import { badRequest } from "./status.ts";

export type Selects = (object: KubernetesObject) => boolean;

/** `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, joined by commas. */
export function parseLabelSelector(text: string): Selects {
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  return ({ metadata }) => requirements.every((matches) => matches(metadata.labels ?? {}));
}

export type FieldSelector = { selects: Selects; name?: string };

/** By metadata.name, metadata.namespace, and the selectable fields of the resource. */
export function parseFieldSelector(text: string, selectable: readonly string[] = []): FieldSelector {
  const terms = text
    .split(",")
    .filter(Boolean)
    .map((term) => parseFieldTerm(term, [...SELECTABLE, ...selectable]));
  const named = terms.find(({ field, isEqual }) => field === "metadata.name" && isEqual);
  return {
    selects: (object) =>
      terms.every(({ field, isEqual, value }) => (readField(object, field) === value) === isEqual),
    ...(named ? { name: named.value } : {}),
  };
}

type LabelMatch = (labels: Record<string, string>) => boolean;

const KEY = "[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?";
const VALUE = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?";
const EXISTS = new RegExp(`^\\s*(?<not>!?)\\s*(?<key>${KEY})\\s*$`);
const EQUALS = new RegExp(`^\\s*(?<key>${KEY})\\s*(?<operator>==|=|!=)\\s*(?<value>${VALUE})\\s*$`);
const IN = new RegExp(`^\\s*(?<key>${KEY})\\s+(?<operator>in|notin)\\s+\\((?<values>[^()]*)\\)\\s*$`);

function parseRequirement(text: string): LabelMatch {
  const exists = EXISTS.exec(text)?.groups;
  if (exists) {
    const { key = "", not } = exists;
    return (labels) => key in labels !== (not === "!");
  }
  const equals = EQUALS.exec(text)?.groups;
  if (equals) {
    const { key = "", operator, value } = equals;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const set = IN.exec(text)?.groups;
  if (set) {
    const { key = "", operator, values = "" } = set;
    const wanted = values.split(",").map((value) => value.trim());
    // A missing label is in no set: `notin` selects objects without it.
    return (labels) => wanted.includes(labels[key] ?? "\u0000") === (operator === "in");
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/).filter((part) => part.trim() !== "");
}

function parseFieldTerm(term: string, selectable: readonly string[]) {
  const parts = /^(?<field>[^=!]+)(?<operator>==|=|!=)(?<value>.*)$/.exec(term)?.groups;
  if (!parts) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const { field = "", operator, value = "" } = parts;
  if (!selectable.includes(field)) throw badRequest(`field label not supported: ${field}`);
  return { field, isEqual: operator !== "!=", value };
}

const SELECTABLE = ["metadata.name", "metadata.namespace"];

function readField(object: KubernetesObject, path: string): string {
  const value = path.split(".").reduce<unknown>((at, field) => fieldsOf(at)[field], object);
  return String(value ?? "");
}
