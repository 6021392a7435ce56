/** A map in a manifest, with unknown fields. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `spec.data`, and as API servers write keys with a dot: `data[tls.crt]`. */
export const pathTo = (path: string, name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? `${path}.${name}` : `${path}[${name}]`;

/** The reason why a field is not converted. `path` is its place in the object: `spec.data[0].remoteRef.property`. */
export type Objection = { readonly path: string; readonly code: ObjectionCode; readonly reason: string };

export type ObjectionCode =
  | "API_VERSION"
  | "CREATION_POLICY"
  | "DECODING_STRATEGY"
  | "DELETION_POLICY"
  | "FIELD_MALFORMED"
  | "FIELD_UNKNOWN"
  | "FINALIZERS"
  | "FIND"
  | "GENERATOR"
  | "HELM_TEMPLATE"
  | "KEY_TWICE"
  | "METADATA_POLICY"
  | "NAMESPACES"
  | "NOTHING_TO_READ"
  | "NOT_A_SECRET"
  | "NULL_BYTE_POLICY"
  | "PROPERTY_PATH"
  | "REFRESH_POLICY"
  | "REWRITE"
  | "SOURCE_NAME"
  | "STORE_ACCOUNT"
  | "STORE_AMBIGUOUS"
  | "STORE_PROVIDER"
  | "STORE_UNKNOWN"
  | "SYNC_WINDOWS"
  | "TEMPLATE"
  | "TEMPLATE_FROM"
  | "TEMPLATE_METADATA"
  | "VERSION"
  | "BINDINGS_REFUSE"
  | "TARGET_TWICE";

/** The way forward for what only the operator does. */
export const LEAVE_IT = "Leave this ExternalSecret with the operator";

export type Objections = {
  readonly all: readonly Objection[];
  add(path: string, code: ObjectionCode, reason: string): void;
};

export function collectObjections(earlier: readonly Objection[] = []): Objections {
  const all = [...earlier];
  return { all, add: (path, code, reason) => void all.push({ path, code, reason }) };
}

/**
 * Reads one map of a manifest. Every field that is not read is an objection, because dropping an unknown field could
 * change the Secret.
 */
export class FieldReader {
  readonly #fields: Fields;
  readonly #read = new Set<string>();
  readonly path: string;
  readonly objections: Objections;

  constructor(value: unknown, path: string, objections: Objections) {
    this.path = path;
    this.objections = objections;
    if (value !== undefined && value !== null && !isFields(value)) this.#malformed(path, "a map");
    this.#fields = isFields(value) ? value : {};
  }

  at(name: string): string {
    return pathTo(this.path, name);
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  /** YAML reads a field without a value as null, and Kubernetes treats null as absent. */
  raw(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  string(name: string): string | undefined {
    return this.#typed(name, "a string", (value) => typeof value === "string");
  }

  flag(name: string): boolean {
    return this.#typed(name, "true or false", (value) => typeof value === "boolean") ?? false;
  }

  map(name: string): FieldReader {
    return new FieldReader(this.raw(name), this.at(name), this.objections);
  }

  list(name: string): FieldReader[] {
    const items = this.#typed(name, "a list", (value): value is unknown[] => Array.isArray(value)) ?? [];
    return items.map((item, index) => new FieldReader(item, `${this.at(name)}[${index}]`, this.objections));
  }

  /** Such as labels. Kubernetes also refuses a number, which is a string without quotes in YAML. */
  stringMap(name: string): Record<string, string> {
    return { ...this.#typed(name, "a map of strings, with quotes around numbers", isStringMap) };
  }

  stringList(name: string): string[] {
    return this.#typed(name, "a list of strings", isStringList) ?? [];
  }

  /** Adds an objection for every field that was not read. */
  end(): void {
    for (const name of Object.keys(this.#fields)) {
      if (this.#read.has(name)) continue;
      this.objections.add(
        this.at(name),
        "FIELD_UNKNOWN",
        "the relay does not know this field. Remove it, or correct its spelling",
      );
    }
  }

  refuse(code: ObjectionCode, reason: string, name?: string): void {
    this.objections.add(name === undefined ? this.path : this.at(name), code, reason);
  }

  #typed<T>(name: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name);
    if (value === undefined || is(value)) return value;
    this.#malformed(this.at(name), expected);
    return undefined;
  }

  #malformed(path: string, expected: string): void {
    this.objections.add(path, "FIELD_MALFORMED", `it must be ${expected}`);
  }
}

const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

const isStringMap = (value: unknown): value is Record<string, string> =>
  isFields(value) && isStringList(Object.values(value));
