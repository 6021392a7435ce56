import { isDataKey } from "../../shared/render/is-data-key.ts";
import { type FieldReader, LEAVE_IT } from "./fields.ts";
import type { Conversion, Extraction, PickedKey, PlacedStore } from "./parts.ts";
import { propertyRule } from "./property-path.ts";
import { readRemoteRef } from "./remote-ref.ts";
import { renameOf } from "./rewrite.ts";

/** Reads an entry of `data`. Undefined if it has an objection. */
export function readPick(context: Conversion, entry: FieldReader): PickedKey | undefined {
  const key = entry.string("secretKey") ?? "";
  const read = readSource(context, entry, entry.map("remoteRef"));
  if (!entry.has("secretKey")) entry.refuse("FIELD_MALFORMED", "secretKey is missing");
  else if (!isDataKey(key)) {
    const reason = `${JSON.stringify(key)} is not a key of a Secret. Use letters, digits, hyphens, underscores and dots`;
    entry.refuse("FIELD_MALFORMED", reason, "secretKey");
  }
  entry.end();
  if (read === undefined) return undefined;
  const { property, decode, at } = read;
  const base = { path: entry.path, key, at };
  if (property === undefined) return { ...base, made: { kind: "whole", ...(decode && { decode }) } };
  const rule = propertyRule(property);
  if (rule.kind === "refused") {
    context.objections.add(`${entry.path}.remoteRef.property`, "PROPERTY_PATH", rule.reason);
    return undefined;
  }
  context.note("NUMBER_SPELLING", "NESTED_SPELLING", "KEY_REPEATED");
  if (rule.kind === "jmespath")
    context.note("NULL_REFUSED", ...(rule.hasIndex ? (["INDEX_OR_KEY"] as const) : []));
  const found = rule.kind === "key" ? { key: rule.key } : { jmespath: rule.jmespath };
  return { ...base, made: { kind: "part", source: { ...found, ...(decode && { decode }) } } };
}

/** Reads an entry of `dataFrom`. Undefined if it has an objection. */
export function readExtract(context: Conversion, entry: FieldReader): Extraction | undefined {
  if (entry.has("find")) {
    const reason =
      "the result of find changes with the account, and a binding names its sources. List the secrets that exist today, each with its own extract or data";
    entry.refuse("FIND", reason, "find");
    for (const field of ["extract", "rewrite", "sourceRef"]) entry.raw(field);
    entry.end();
    return undefined;
  }
  if (!entry.has("extract")) {
    readStoreOf(context, entry);
    entry.raw("rewrite");
    if (!entry.map("sourceRef").has("generatorRef"))
      entry.refuse("NOTHING_TO_READ", "extract and find are both missing. Put key below extract");
    entry.end();
    return undefined;
  }
  const reference = entry.map("extract");
  const read = readSource(context, entry, reference);
  const rewrites = entry.list("rewrite");
  const [rename] = rewrites.flatMap((rewrite) => readRewrite(rewrite) ?? []);
  if (rewrites.length > 1) {
    const reason = `the operator applies all rewrites in turn, and the relay applies one rename to a key. ${LIST_THEM}`;
    entry.refuse("REWRITE", reason, "rewrite");
  }
  entry.end();
  if (read === undefined) return undefined;
  if (read.property !== undefined) {
    const reason = `the relay extracts only top-level keys. List the keys of the nested object in data, each with a property such as ${read.property}.password`;
    reference.refuse("PROPERTY_PATH", reason, "property");
    return undefined;
  }
  if (read.decode !== undefined) {
    const reason = `the relay decodes only keys that are named. ${LIST_THEM}`;
    reference.refuse("DECODING_STRATEGY", reason, "decodingStrategy");
    return undefined;
  }
  return { at: read.at, rules: rename === undefined ? { keys: "all" } : { extract: { rename: [rename] } } };
}

const LIST_THEM = "List the keys in data, each with its property";

function readRewrite(rewrite: FieldReader) {
  for (const name of ["transform", "merge"]) {
    if (rewrite.has(name))
      rewrite.refuse(
        "REWRITE",
        `the relay renames keys only by patterns, not by ${name}. ${LIST_THEM}`,
        name,
      );
  }
  const regexp = rewrite.has("regexp") ? rewrite.map("regexp") : undefined;
  const source = regexp?.string("source") ?? "";
  const target = regexp?.string("target") ?? "";
  regexp?.end();
  rewrite.end();
  if (regexp === undefined) return undefined;
  const rename = renameOf(source, target);
  if (rename === undefined) {
    const reason =
      "no pattern has the same result for every key. Use an expression such as (.*), ^db_(.*)$ or ^db_";
    rewrite.refuse("REWRITE", reason, "regexp");
  }
  return rename;
}

function readSource(context: Conversion, entry: FieldReader, reference: FieldReader) {
  const { objections } = context;
  const before = objections.all.length;
  const store = readStoreOf(context, entry);
  const { key, stage, versionId, property, decode } = readRemoteRef(reference);
  if (store === undefined || objections.all.length > before) return undefined;
  const found = context.stores.find(store, key);
  if (found.kind === "refused") {
    const path = found.code === "SOURCE_NAME" ? `${reference.path}.key` : store.path;
    objections.add(path, found.code, found.reason);
    return undefined;
  }
  context.note(...found.notes, ...(versionId === undefined ? [] : (["PINNED"] as const)));
  const at = {
    source: found.id,
    ...(stage !== undefined && { stage }),
    ...(versionId !== undefined && { versionId }),
  };
  return { at, property, decode };
}

/** The store of the entry, or else of the ExternalSecret. */
function readStoreOf(context: Conversion, entry: FieldReader): PlacedStore | undefined {
  const { request, store, objections } = context;
  if (!entry.has("sourceRef")) {
    if (store === undefined)
      objections.add(
        entry.path,
        "STORE_UNKNOWN",
        "neither the entry nor the ExternalSecret names a store. Add secretStoreRef",
      );
    return store;
  }
  const sourceRef = entry.map("sourceRef");
  if (sourceRef.has("generatorRef")) {
    const reason = `a generator creates a new value each time, so the relay has no source to follow. ${LEAVE_IT}`;
    sourceRef.refuse("GENERATOR", reason, "generatorRef");
    return undefined;
  }
  const found = readStoreRef(sourceRef.map("storeRef"), request.namespace);
  sourceRef.end();
  return found;
}

export function readStoreRef(reader: FieldReader, namespace: string): PlacedStore {
  const kind = reader.string("kind") ?? "SecretStore";
  const name = reader.string("name") ?? "";
  reader.end();
  return { kind, name, namespace, path: reader.path };
}
