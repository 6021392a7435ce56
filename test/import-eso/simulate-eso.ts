// A model of External Secrets Operator for AWS Secrets Manager, which shares no code with the converter. Its rules are
// those of 2.9.0, read in its source and run.

type Tree = Readonly<Record<string, unknown>>;

export type SimulatedSecret = {
  readonly data: Readonly<Record<string, string>>;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly isImmutable: boolean;
};

type ExternalSecret = {
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has any shape
  readonly spec: any;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

/** `read` gives the SecretString of a `remoteRef` or `extract`, with the prefix of its store. */
export function simulateEso(
  { spec, labels = {}, annotations = {} }: ExternalSecret,
  read: (reference: { readonly key: string; readonly version?: string }, entry: Tree) => string,
): SimulatedSecret {
  const made: Record<string, string> = {};
  for (const entry of spec.dataFrom ?? []) {
    const properties = Object.entries(JSON.parse(read(entry.extract, entry)) as Tree);
    for (const [key, value] of properties) made[renamed(key, entry.rewrite ?? [])] = textOf(value);
  }
  for (const entry of spec.data ?? []) {
    const { property, decodingStrategy } = entry.remoteRef;
    const text = read(entry.remoteRef, entry);
    const value = property === undefined ? text : textOf(lookUp(JSON.parse(text), property));
    made[entry.secretKey] = decoded(value, decodingStrategy);
  }
  const { template, immutable = false } = spec.target ?? {};
  const templated = Object.entries<string>(template?.data ?? {}).map(([key, text]) => [
    key,
    fill(text, made),
  ]);
  const keepsOthers = templated.length === 0 || template?.mergePolicy === "Merge";
  return {
    data: { ...(keepsOthers && made), ...Object.fromEntries(templated) },
    type: template?.type ?? "Opaque",
    // With a template, only its own metadata.
    labels: template === undefined ? labels : (template.metadata?.labels ?? {}),
    annotations: template === undefined ? annotations : (template.metadata?.annotations ?? {}),
    isImmutable: immutable,
  };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function decoded(text: string, strategy: string | undefined): string {
  if (strategy === undefined || strategy === "None") return text;
  return Buffer.from(text, strategy === "Base64URL" ? "base64url" : "base64").toString("utf8");
}

/** Only variables, and base64; the functions have their own tests. */
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(ACTION, (_, name: string, indexed: string, decode = "") => {
    const value = values[name ?? indexed] ?? "";
    return decode === "" ? value : Buffer.from(value, "base64").toString("utf8");
  });

const ACTION = /\{\{ (?:\.(\w+)|index \. "([^"]+)")( \| b64dec)? \}\}/g;

const renamed = (key: string, rewrites: readonly { readonly regexp: Expression }[]): string =>
  rewrites.reduce((name, { regexp }) => rewrite(name, regexp), key);

type Expression = { readonly source: string; readonly target: string };

/** Go's ReplaceAllString; JavaScript's is equal for the supported expressions, except for the braces of a group. */
export function rewrite(key: string, { source, target }: Expression): string {
  return key.replace(new RegExp(source), target.replace(/\$\{1\}/, "$$1"));
}

/** The operator's lookup: with every dot escaped first, which is usually a literal key, and then as it is. */
export function lookUp(source: Tree, property: string): unknown {
  return lookUpPath(source, property.replaceAll(".", "\\.")) ?? lookUpPath(source, property);
}

/** A path of gjson; a backslash makes the next character plain, and a number is an index of a list. */
function lookUpPath(source: Tree, path: string): unknown {
  const parts = path
    .replace(/\\(.)/g, (_, plain: string) => (plain === "." ? "\u0001" : "\u0002"))
    .split(".")
    .map((part) => part.replaceAll("\u0001", ".").replaceAll("\u0002", "\\"));
  let at: unknown = source;
  for (const [index, part] of parts.entries()) {
    // The note INDEX_OR_KEY: the operator finds a key, and the relay refuses.
    if (index > 0 && /^\d+$/.test(part) && !Array.isArray(at)) return undefined;
    if (typeof at !== "object" || at === null) return undefined;
    if (Array.isArray(at) ? !/^\d+$/.test(part) : !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}
