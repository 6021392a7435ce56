import { isDataKey } from "../../shared/render/is-data-key.ts";
import type { FieldReader } from "./fields.ts";
import type { Conversion, Extraction, PickedKey } from "./parts.ts";
import { extractRule, propertyRule } from "./property-path.ts";
import { readFind } from "./read-find.ts";
import { readStoreOf } from "./read-store.ts";
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

/** Reads an entry of `dataFrom`. Empty if it has an objection. */
export function readDataFrom(context: Conversion, entry: FieldReader): Extraction[] {
  if (entry.has("find")) return readFind(context, entry);
  if (!entry.has("extract")) {
    readStoreOf(context, entry);
    entry.raw("rewrite");
    if (!entry.map("sourceRef").has("generatorRef"))
      entry.refuse("NOTHING_TO_READ", "extract and find are both missing. Put key below extract");
    entry.end();
    return [];
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
  if (read === undefined) return [];
  const { at, property, decode } = read;
  const object = property === undefined ? undefined : extractRule(property);
  if (object?.kind === "refused") {
    reference.refuse("PROPERTY_PATH", object.reason, "property");
    return [];
  }
  if (object?.hasIndex) context.note("INDEX_OR_KEY");
  const extract = {
    ...(object !== undefined && { jmespath: object.jmespath }),
    ...(decode !== undefined && { decode }),
    ...(rename !== undefined && { rename: [rename] }),
  };
  return [{ at, rules: Object.keys(extract).length === 0 ? { keys: "all" } : { extract } }];
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
  if (decode === "auto") context.note("AUTO_DECODES");
  return { at, property, decode };
}
