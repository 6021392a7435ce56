/** A part of a manifest: nothing about it is known but that it is a map. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Why something is not converted. `path` is where in the object, as in `spec.data[0].remoteRef.property`. */
export type Objection = { readonly path: string; readonly code: ObjectionCode; readonly reason: string };

export type ObjectionCode =
  | "API_VERSION"
  | "CONVERSION_STRATEGY"
  | "CREATION_POLICY"
  | "DECODING_STRATEGY"
  | "DELETION_POLICY"
  | "FIELD_MALFORMED"
  | "FIELD_UNKNOWN"
  | "FINALIZERS"
  | "FIND"
  | "GENERATOR"
  | "KEY_TWICE"
  | "METADATA_POLICY"
  | "NAMESPACES"
  | "NOTHING_TO_READ"
  | "NOT_A_SECRET"
  | "PROPERTY_PATH"
  | "REFRESH_POLICY"
  | "REWRITE"
  | "SOURCE_NAME"
  | "STORE_ACCOUNT"
  | "STORE_AMBIGUOUS"
  | "STORE_PROVIDER"
  | "STORE_UNKNOWN"
  | "TEMPLATE"
  | "TEMPLATE_FROM"
  | "TEMPLATE_METADATA"
  | "BINDINGS_REFUSE"
  | "TARGET_TWICE";

export type Objections = {
  readonly all: readonly Objection[];
  add(path: string, code: ObjectionCode, reason: string): void;
};

export function objections(): Objections {
  const all: Objection[] = [];
  return { all, add: (path, code, reason) => void all.push({ path, code, reason }) };
}

/**
 * Reads one map of a manifest. Every field that nobody asks for is an objection: what a field means that is not known
 * here can't be said, and so it can't be left out.
 */
export class FieldReader {
  readonly #fields: Fields;
  readonly #asked = new Set<string>();
  readonly path: string;
  readonly objections: Objections;

  constructor(value: unknown, path: string, objections: Objections) {
    this.path = path;
    this.objections = objections;
    if (value !== undefined && value !== null && !isFields(value)) this.#malformed(path, "a map");
    this.#fields = isFields(value) ? value : {};
  }

  at(name: string): string {
    return `${this.path}.${name}`;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  /** Null is what YAML makes of a field without a value, and Kubernetes takes for absent. */
  raw(name: string): unknown {
    this.#asked.add(name);
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "string") return value;
    this.#malformed(this.at(name), "text");
    return undefined;
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== "boolean") this.#malformed(this.at(name), "true or false");
    return value === true;
  }

  map(name: string): FieldReader {
    return new FieldReader(this.raw(name), this.at(name), this.objections);
  }

  list(name: string): FieldReader[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.#malformed(this.at(name), "a list");
      return [];
    }
    return value.map((item, index) => new FieldReader(item, `${this.at(name)}[${index}]`, this.objections));
  }

  /** A map of texts, such as labels. A number that YAML made of a text without quotes is what Kubernetes refuses too. */
  texts(name: string): Record<string, string> {
    const value = this.raw(name);
    if (value === undefined) return {};
    if (!isFields(value) || Object.values(value).some((each) => typeof each !== "string")) {
      this.#malformed(this.at(name), "a map of texts");
      return {};
    }
    return { ...value } as Record<string, string>;
  }

  /** A list of texts. */
  names(name: string): string[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) {
      this.#malformed(this.at(name), "a list of texts");
      return [];
    }
    return value as string[];
  }

  /** Reads on, and says of every field that was not asked for that it is unknown. */
  end(): void {
    for (const name of Object.keys(this.#fields)) {
      if (this.#asked.has(name)) continue;
      this.objections.add(this.at(name), "FIELD_UNKNOWN", "what this field does is not known here");
    }
  }

  object(code: ObjectionCode, reason: string, name?: string): void {
    this.objections.add(name === undefined ? this.path : this.at(name), code, reason);
  }

  #malformed(path: string, expected: string): void {
    this.objections.add(path, "FIELD_MALFORMED", `${expected} is expected here`);
  }
}
