import type { FieldReader } from "./fields.ts";
import type { Conversion, Extraction, PickedKey, PlacedStore } from "./parts.ts";
import { propertyRule } from "./property-path.ts";
import { readRemoteRef } from "./remote-ref.ts";
import { renameOf } from "./rewrite.ts";

/** An entry of `data`. Undefined when it has an objection. */
export function readPick(context: Conversion, entry: FieldReader): PickedKey | undefined {
  const key = entry.text("secretKey") ?? "";
  const at = readSource(context, entry, entry.map("remoteRef"));
  if (!entry.has("secretKey")) entry.object("FIELD_MALFORMED", "secretKey is missing");
  entry.end();
  if (at === undefined) return undefined;
  const { property, decode } = at;
  const base = { path: entry.path, key, at: at.at };
  if (property === undefined) return { ...base, made: { kind: "whole", ...(decode && { decode }) } };
  const rule = propertyRule(property);
  if (rule.kind === "refused") {
    context.wrong.add(`${entry.path}.remoteRef.property`, "PROPERTY_PATH", rule.reason);
    return undefined;
  }
  context.note("NUMBER_SPELLING");
  if (rule.kind === "jmespath")
    context.note("NULL_REFUSED", ...(rule.hasIndex ? (["INDEX_OR_KEY"] as const) : []));
  const found = rule.kind === "key" ? { key: rule.key } : { jmespath: rule.jmespath };
  return { ...base, made: { kind: "part", source: { ...found, ...(decode && { decode }) } } };
}

/** An entry of `dataFrom`. Undefined when it has an objection. */
export function readExtract(context: Conversion, entry: FieldReader): Extraction | undefined {
  if (entry.has("find")) {
    entry.object(
      "FIND",
      "what is found by name or tags changes with the account; a binding names its sources",
      "find",
    );
    entry.raw("extract");
    entry.raw("rewrite");
    entry.raw("sourceRef");
    entry.end();
    return undefined;
  }
  if (!entry.has("extract")) {
    readStoreOf(context, entry);
    entry.raw("rewrite");
    if (!entry.map("sourceRef").has("generatorRef"))
      entry.object("NOTHING_TO_READ", "it has neither extract nor find");
    entry.end();
    return undefined;
  }
  const reference = entry.map("extract");
  const read = readSource(context, entry, reference);
  const rewrites = entry.list("rewrite");
  const renames = rewrites.flatMap((rewrite) => readRewrite(rewrite) ?? []);
  if (rewrites.length > 1)
    entry.object(
      "REWRITE",
      "several rewrites work one after the other, and of several renames one does",
      "rewrite",
    );
  entry.end();
  if (read === undefined) return undefined;
  if (read.property !== undefined) {
    context.wrong.add(
      `${reference.path}.property`,
      "PROPERTY_PATH",
      "it extracts the keys of a nested object, and the relay those at the top. Name the keys in data",
    );
    return undefined;
  }
  if (read.decode !== undefined) {
    context.wrong.add(
      `${reference.path}.decodingStrategy`,
      "DECODING_STRATEGY",
      "the relay decodes keys that are named, and not all of them. Name the keys in data",
    );
    return undefined;
  }
  context.note("NESTED_SPELLING", "ILLEGAL_KEYS_REFUSED");
  const [rename] = renames;
  return { at: read.at, rules: rename === undefined ? { keys: "all" } : { extract: { rename: [rename] } } };
}

function readRewrite(rewrite: FieldReader) {
  for (const name of ["transform", "merge"]) {
    if (rewrite.has(name))
      rewrite.object("REWRITE", `${name} makes keys by a program, and a rename by patterns`, name);
  }
  if (!rewrite.has("regexp")) {
    rewrite.end();
    return undefined;
  }
  const regexp = rewrite.map("regexp");
  const source = regexp.text("source") ?? "";
  const target = regexp.text("target") ?? "";
  regexp.end();
  rewrite.end();
  const rename = renameOf(source, target);
  if (rename === undefined) {
    rewrite.object(
      "REWRITE",
      "no pattern is the same as this expression for every key. Expressions such as ^db_(.*)$ and ^db_ are converted",
      "regexp",
    );
  }
  return rename;
}

function readSource(context: Conversion, entry: FieldReader, reference: FieldReader) {
  const before = context.wrong.all.length;
  const store = readStoreOf(context, entry);
  const remote = readRemoteRef(reference);
  if (store === undefined || context.wrong.all.length > before) return undefined;
  const found = context.stores.find(store, remote.key);
  if (found.kind === "refused") {
    const path = found.code === "SOURCE_NAME" ? `${reference.path}.key` : store.path;
    context.wrong.add(path, found.code, found.reason);
    return undefined;
  }
  context.note(...found.notes, ...(remote.versionId === undefined ? [] : (["PINNED"] as const)));
  const { stage, versionId, property, decode } = remote;
  return {
    at: {
      source: found.id,
      ...(stage !== undefined && { stage }),
      ...(versionId !== undefined && { versionId }),
    },
    property,
    decode,
  };
}

/** Of the entry itself, or that of the whole ExternalSecret. */
function readStoreOf({ request, store, wrong }: Conversion, entry: FieldReader): PlacedStore | undefined {
  if (entry.has("sourceRef")) {
    const sourceRef = entry.map("sourceRef");
    if (sourceRef.has("generatorRef")) {
      sourceRef.object(
        "GENERATOR",
        "a generator makes a new value each time, and there is no source to follow",
        "generatorRef",
      );
      return undefined;
    }
    const storeRef = sourceRef.map("storeRef");
    const found = readStoreRef(storeRef, request.namespace);
    sourceRef.end();
    return found;
  }
  if (store === undefined) {
    wrong.add(entry.path, "STORE_UNKNOWN", "neither it nor the ExternalSecret names a store");
    return undefined;
  }
  return store;
}

export function readStoreRef(reader: FieldReader, namespace: string): PlacedStore {
  const kind = reader.text("kind") ?? "SecretStore";
  const name = reader.text("name") ?? "";
  reader.end();
  return { kind, name, namespace, path: reader.path };
}
