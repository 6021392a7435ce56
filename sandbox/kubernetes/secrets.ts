import { isDeepStrictEqual } from "node:util";
import { textMap, typeProblemOfTexts } from "./metadata.ts";
import { type Fields, fieldsOf, type KubernetesObject, withoutEmpty } from "./object.ts";
import { type FieldProblem, forbiddenField, invalidValue, required, tooLong } from "./status.ts";

/** A Secret as stored: stringData merged into data, base64 in canonical form, the type set. */
export function normalizeSecret(secret: Fields): Fields {
  const { stringData, data, type, ...rest } = secret;
  const fromText = Object.entries(textMap(stringData)).map(([key, text]) => [key, encode(String(text))]);
  const fromData = Object.entries(textMap(data)).map(([key, value]) => [key, canonical(String(value))]);
  const merged: Fields = Object.fromEntries([...fromData, ...fromText]);
  return { ...rest, ...withoutEmpty({ data: sorted(merged) }), type: type || "Opaque" };
}

/** Where Go's decoder fails on a value, in its words; it accepts line breaks, and no other extra characters. */
export function base64Problem(secret: Fields): string | undefined {
  for (const value of Object.values(fieldsOf(secret.data))) {
    if (value === null || typeof value !== "string") continue;
    const text = value.replace(/[\r\n]/g, "");
    const wrongAt = /[^A-Za-z0-9+/]/.exec(text.replace(/={1,2}$/, ""))?.index;
    if (wrongAt !== undefined) return `illegal base64 data at input byte ${wrongAt}`;
    if (text.length % 4 !== 0) return `illegal base64 data at input byte ${text.length - (text.length % 4)}`;
  }
  return undefined;
}

export function secretTypeProblem(secret: Fields): string | undefined {
  const unknown = Object.keys(secret).find((field) => !SECRET_FIELDS.has(field));
  if (unknown) return `.${unknown}: field not declared in schema`;
  const inTexts =
    typeProblemOfTexts(".data", secret.data) ?? typeProblemOfTexts(".stringData", secret.stringData);
  return inTexts;
}

export function unknownSecretFields(secret: Fields): string[] {
  return Object.keys(secret).filter((field) => !SECRET_FIELDS.has(field));
}

export function secretProblems(secret: KubernetesObject): FieldProblem[] {
  const data = fieldsOf(secret.data) as Record<string, string>;
  const bytes = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
  return [
    ...Object.keys(data).flatMap(keyProblems),
    ...(bytes > DATA_BYTES_MAX ? [tooLong("data", DATA_BYTES_MAX)] : []),
    ...(TYPE_RULES[String(secret.type)]?.(data, secret) ?? []),
  ];
}

export function secretChangeProblems(before: KubernetesObject, after: KubernetesObject): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (before.type !== after.type) {
    problems.push(invalidValue("type", after.type, "field is immutable"));
  }
  if (before.immutable === true) {
    const why = "field is immutable when `immutable` is set";
    if (after.immutable !== true) problems.push(forbiddenField("immutable", why));
    if (!isDeepStrictEqual(before.data, after.data)) problems.push(forbiddenField("data", why));
  }
  return problems;
}

const SECRET_FIELDS = new Set(["apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"]);
const DATA_BYTES_MAX = 1024 * 1024;
const KEY_LENGTH_MAX = 253;

type TypeRule = (data: Record<string, string>, secret: KubernetesObject) => FieldProblem[];

const needs =
  (...keys: string[]): TypeRule =>
  (data) =>
    keys.filter((key) => data[key] === undefined).map((key) => required(`data[${key}]`));

const needsJson =
  (key: string): TypeRule =>
  (data, secret) => {
    const problems = needs(key)(data, secret);
    const text = Buffer.from(data[key] ?? "", "base64").toString("utf8");
    if (problems.length > 0 || isJson(text)) return problems;
    // A real server redacts the value, but quotes the character at which parsing failed.
    const why =
      text === ""
        ? "unexpected end of JSON input"
        : `invalid character '${text[0]}' looking for beginning of value`;
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", why)];
  };

const TYPE_RULES: Record<string, TypeRule> = {
  "kubernetes.io/tls": needs("tls.crt", "tls.key"),
  "kubernetes.io/ssh-auth": needs("ssh-privatekey"),
  "kubernetes.io/dockerconfigjson": needsJson(".dockerconfigjson"),
  "kubernetes.io/dockercfg": needsJson(".dockercfg"),
  // Either of the two suffices, but a Secret with neither gets both errors.
  "kubernetes.io/basic-auth": (data, secret) =>
    data.username === undefined && data.password === undefined
      ? needs("username", "password")(data, secret)
      : [],
  "kubernetes.io/service-account-token": (_data, { metadata }) =>
    metadata.annotations?.["kubernetes.io/service-account.name"]
      ? []
      : [required("metadata.annotations[kubernetes.io/service-account.name]")],
};

function keyProblems(key: string): FieldProblem[] {
  const field = `data[${key}]`;
  const problems: FieldProblem[] = [];
  if (key.length > KEY_LENGTH_MAX) {
    problems.push(invalidValue(field, key, `must be no more than ${KEY_LENGTH_MAX} characters`));
  }
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    const why =
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    problems.push(invalidValue(field, key, why));
  }
  if (key === ".") problems.push(invalidValue(field, key, "must not be '.'"));
  else if (key === "..") problems.push(invalidValue(field, key, "must not be '..'"));
  else if (key.startsWith("..")) problems.push(invalidValue(field, key, "must not start with '..'"));
  return problems;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const encode = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const canonical = (base64: string): string => Buffer.from(base64, "base64").toString("base64");
const sorted = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
