import {
  type Fields,
  fieldsOf,
  isFields,
  type KubernetesObject,
  type ObjectMeta,
  withoutEmpty,
} from "./object.ts";
import { type FieldProblem, invalidValue, required, tooLong } from "./status.ts";

/** Metadata as Go decodes it: null is the zero value, and empty values are absent. */
export function normalizeMetadata(metadata: unknown): ObjectMeta {
  const meta = fieldsOf(metadata);
  return withoutEmpty({
    ...meta,
    labels: textMap(meta.labels),
    annotations: textMap(meta.annotations),
    ownerReferences: meta.ownerReferences,
    finalizers: meta.finalizers,
    // An empty list clears managedFields, as one empty entry does (measured on kube-apiserver 1.36.3).
    ...(isEmptyList(meta.managedFields) && { managedFields: [{}] }),
  }) as ObjectMeta;
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

export function textMap(value: unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, text]) => [key, text ?? ""]));
}

export function metadataProblems({ metadata }: KubernetesObject, namesAre: NameRule): FieldProblem[] {
  return [
    ...nameProblems(metadata, namesAre),
    ...Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => [
      ...qualifiedNameProblems("metadata.labels", key),
      ...labelValueProblems("metadata.labels", value),
    ]),
    ...annotationProblems(metadata.annotations ?? {}),
  ];
}

/** Fields that are immutable once an object exists. For Secrets the real server checks and reports this twice. */
export function identityProblems(before: KubernetesObject, after: KubernetesObject): FieldProblem[] {
  const given = after.metadata.uid;
  if (!given || given === before.metadata.uid) return [];
  return [invalidValue("metadata.uid", given, "field is immutable")];
}

/** The first field of an applied object that is unknown or has a wrong type, in the real server's words. */
export function typeProblemOfMetadata(metadata: unknown): string | undefined {
  if (metadata !== undefined && !isFields(metadata)) return `.metadata: expected map, got ${typeof metadata}`;
  for (const field of ["labels", "annotations"]) {
    const problem = typeProblemOfTexts(`.metadata.${field}`, fieldsOf(metadata)[field]);
    if (problem) return problem;
  }
  return undefined;
}

export function typeProblemOfTexts(path: string, map: unknown): string | undefined {
  if (map === undefined || map === null) return undefined;
  if (!isFields(map))
    return `${path}: expected map, got &value.valueUnstructured{Value:${JSON.stringify(map)}}`;
  const wrong = Object.entries(map).find(([, value]) => value !== null && typeof value !== "string");
  if (!wrong) return undefined;
  return `${path}.${wrong[0]}: expected string, got &value.valueUnstructured{Value:${JSON.stringify(wrong[1])}}`;
}

export type NameRule = "subdomain" | "label" | "path-segment";

const NAME_RULES = {
  subdomain: {
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    lengthMax: 253,
    why: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  },
  label: {
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    lengthMax: 63,
    why: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  },
  "path-segment": {
    pattern: /^(?!\.{1,2}$)[^/%]*$/,
    lengthMax: Number.POSITIVE_INFINITY,
    why: "may not contain '/' or '%'",
  },
} as const;

function nameProblems({ name = "" }: ObjectMeta, rule: NameRule): FieldProblem[] {
  const { pattern, lengthMax, why } = NAME_RULES[rule];
  if (!name) return [required("metadata.name", "name or generateName is required")];
  return [
    ...(name.length > lengthMax
      ? [invalidValue("metadata.name", name, `must be no more than ${lengthMax} characters`)]
      : []),
    ...(pattern.test(name) ? [] : [invalidValue("metadata.name", name, why)]),
  ];
}

const LABEL_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_BYTES_MAX = 63;
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

function qualifiedNameProblems(field: string, key: string): FieldProblem[] {
  const [prefix, name = "", more] = key.includes("/") ? key.split("/") : [undefined, key];
  if (more !== undefined) {
    const why =
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [invalidValue(field, key, why)];
  }
  const problems: FieldProblem[] = [];
  if (prefix === "") problems.push(invalidValue(field, key, "prefix part must be non-empty"));
  else if (prefix !== undefined && !NAME_RULES.subdomain.pattern.test(prefix)) {
    problems.push(invalidValue(field, key, `prefix part ${NAME_RULES.subdomain.why}`));
  }
  if (name === "") problems.push(invalidValue(field, key, "name part must be non-empty"));
  else if (name.length > LABEL_BYTES_MAX) {
    problems.push(invalidValue(field, key, `name part must be no more than ${LABEL_BYTES_MAX} bytes`));
  }
  if (!LABEL_PART.test(name)) {
    const why =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    problems.push(invalidValue(field, key, why));
  }
  return problems;
}

function labelValueProblems(field: string, value: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (value.length > LABEL_BYTES_MAX) {
    problems.push(invalidValue(field, value, `must be no more than ${LABEL_BYTES_MAX} bytes`));
  }
  if (value !== "" && !LABEL_PART.test(value)) {
    const why =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    problems.push(invalidValue(field, value, why));
  }
  return problems;
}

function annotationProblems(annotations: Record<string, string>): FieldProblem[] {
  // Only here the key may be in upper case.
  const problems = Object.keys(annotations).flatMap((key) => {
    return qualifiedNameProblems("metadata.annotations", key.toLowerCase());
  });
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes > ANNOTATIONS_BYTES_MAX) problems.push(tooLong("metadata.annotations", ANNOTATIONS_BYTES_MAX));
  return problems;
}
