import { type Fields, withoutEmpty } from "./object.ts";
import { ApiStatus, badRequest } from "./status.ts";

/**
 * Decodes a body in the API server's protobuf into the object's JSON. kubectl 1.32 and newer sends only protobuf for
 * built-in kinds that it creates itself (`create secret`, `auth can-i`), without a fallback to JSON. Supports the
 * kinds that the sandbox serves and kubectl creates from flags; field numbers are those of k8s.io/api.
 */
export function decodeProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw badRequest("error decoding the body: it does not begin as protobuf of Kubernetes does");
  }
  const envelope = fieldsOfMessage(body.subarray(MAGIC.length));
  const { apiVersion = "", kind = "" } = typeMeta(fieldOf(envelope, 1)) as Record<string, string>;
  const decode = KINDS[`${apiVersion} ${kind}`];
  if (!decode) throw unsupportedMediaType(["application/json", "application/yaml"]);
  return { apiVersion, kind, ...(decode(fieldOf(envelope, 2)) as Fields) };
}

export const unsupportedMediaType = (accepted: readonly string[]): ApiStatus => {
  const why = "the body of the request was in an unknown format - accepted media types include: ";
  return new ApiStatus(415, "UnsupportedMediaType", `${why}${accepted.join(", ")}`);
};

const MAGIC = Buffer.from("k8s\0");

/** How to decode a field's bytes or number; a repeated field adds to its previous value. */
type Decode = (value: Buffer | bigint, before?: unknown) => unknown;

const bytesOf = (value: Buffer | bigint): Buffer => (typeof value === "bigint" ? refuse() : value);
const text: Decode = (value) => bytesOf(value).toString("utf8");
const base64: Decode = (value) => bytesOf(value).toString("base64");
const flag: Decode = (value) => value !== 0n;

const list =
  (of: Decode): Decode =>
  (value, before = []) => [...(before as unknown[]), of(value)];

const map =
  (of: Decode): Decode =>
  (value, before = {}) => {
    const entry = fieldsOfMessage(bytesOf(value));
    return { ...(before as Fields), [String(text(fieldOf(entry, 1)))]: of(fieldOf(entry, 2)) };
  };

/** Unlisted fields are skipped. Go also writes empty strings, which JSON omits. */
const message =
  (fields: Readonly<Record<number, readonly [name: string, decode: Decode]>>): Decode =>
  (value) => {
    const decoded: Fields = {};
    for (const { number, value: raw } of fieldsOfMessage(bytesOf(value))) {
      const [name, decode] = fields[number] ?? [];
      if (name !== undefined && decode) decoded[name] = decode(raw, decoded[name]);
    }
    return withoutEmpty(decoded);
  };

const typeMeta = message({ 1: ["apiVersion", text], 2: ["kind", text] });

const ownerReference = message({
  1: ["kind", text],
  3: ["name", text],
  4: ["uid", text],
  5: ["apiVersion", text],
  6: ["controller", flag],
  7: ["blockOwnerDeletion", flag],
});

/** Without the fields that only the server sets. */
const metadata = message({
  1: ["name", text],
  2: ["generateName", text],
  3: ["namespace", text],
  5: ["uid", text],
  6: ["resourceVersion", text],
  11: ["labels", map(text)],
  12: ["annotations", map(text)],
  13: ["ownerReferences", list(ownerReference)],
  14: ["finalizers", list(text)],
});

const object = (fields: Parameters<typeof message>[0] = {}): Decode =>
  message({ 1: ["metadata", metadata], ...fields });

const secret = object({
  2: ["data", map(base64)],
  3: ["type", text],
  4: ["stringData", map(text)],
  5: ["immutable", flag],
});

const rule = message({
  1: ["verbs", list(text)],
  2: ["apiGroups", list(text)],
  3: ["resources", list(text)],
  4: ["resourceNames", list(text)],
  5: ["nonResourceURLs", list(text)],
});
const role = object({ 2: ["rules", list(rule)] });
const subject = message({
  1: ["kind", text],
  2: ["apiGroup", text],
  3: ["name", text],
  4: ["namespace", text],
});
const roleRef = message({ 1: ["apiGroup", text], 2: ["kind", text], 3: ["name", text] });
const binding = object({ 2: ["subjects", list(subject)], 3: ["roleRef", roleRef] });

const attributes = message({
  1: ["namespace", text],
  2: ["verb", text],
  3: ["group", text],
  4: ["version", text],
  5: ["resource", text],
  6: ["subresource", text],
  7: ["name", text],
});
const page = message({ 1: ["path", text], 2: ["verb", text] });
const asked = { 1: ["resourceAttributes", attributes], 2: ["nonResourceAttributes", page] } as const;
const accessReview = object({
  2: ["spec", message({ ...asked, 3: ["user", text], 4: ["groups", list(text)] })],
});

const KINDS: Readonly<Record<string, Decode>> = {
  "v1 Namespace": object(),
  "v1 Secret": secret,
  "rbac.authorization.k8s.io/v1 Role": role,
  "rbac.authorization.k8s.io/v1 RoleBinding": binding,
  "rbac.authorization.k8s.io/v1 ClusterRole": role,
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": binding,
  "authentication.k8s.io/v1 SelfSubjectReview": object(),
  "authorization.k8s.io/v1 SelfSubjectAccessReview": object({ 2: ["spec", message(asked)] }),
  "authorization.k8s.io/v1 SelfSubjectRulesReview": object({
    2: ["spec", message({ 1: ["namespace", text] })],
  }),
  "authorization.k8s.io/v1 SubjectAccessReview": accessReview,
  "authorization.k8s.io/v1 LocalSubjectAccessReview": accessReview,
};

type WireField = { number: number; value: Buffer | bigint };

const fieldOf = (fields: WireField[], wanted: number): WireField["value"] =>
  fields.find(({ number }) => number === wanted)?.value ?? Buffer.alloc(0);

function fieldsOfMessage(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at] ?? refuse();
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return refuse();
  };
  const take = (length: number): Buffer => {
    const start = at;
    at += length;
    return at > message.length ? refuse() : message.subarray(start, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const read = READERS[Number(tag & 7n)] ?? refuse();
    fields.push({ number, value: read(varint, take) });
  }
  return fields;
}

type Reader = (varint: () => bigint, take: (length: number) => Buffer) => Buffer | bigint;

/** By wire type. */
const READERS: Readonly<Record<number, Reader>> = {
  0: (varint) => varint(),
  1: (_varint, take) => take(8),
  2: (varint, take) => take(Number(varint())),
  5: (_varint, take) => take(4),
};

function refuse(): never {
  throw badRequest("error decoding the body: it is not protobuf");
}
