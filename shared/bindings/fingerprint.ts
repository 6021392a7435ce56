import { createHash } from "node:crypto";
import type { Binding, KeyRule, NamedKeys } from "./binding.ts";

/**
 * Sixteen hex characters that differ when the rules of a binding differ, regardless of order and layout in the file.
 *
 * Includes everything that changes the result of an apply: the sources as written, their versions, keys and order, type,
 * labels, annotations, and the deletion policy, which is kept on the target after the binding is removed. Excludes:
 * - the target, because the fingerprint is stored on the target itself;
 * - `adopt`, because it decides whether the relay may write and not the content. With it, a change of `adopt` would
 *   write every Secret again.
 */
export function fingerprintOf({
  sources,
  collisions,
  type,
  labels,
  annotations,
  deletionPolicy,
  ownership,
  immutable,
  namedKeys,
}: Pick<
  Binding,
  | "sources"
  | "collisions"
  | "type"
  | "labels"
  | "annotations"
  | "deletionPolicy"
  | "ownership"
  | "immutable"
  | "namedKeys"
>): string {
  const [first, ...others] = sources;
  const rules: unknown[] = [
    RULES_VERSION,
    first.id,
    canonicalKeys(first.keys),
    type,
    sortedEntries(labels),
    sortedEntries(annotations),
    deletionPolicy,
  ];
  // Only if used, so that adding a setting to the format does not change existing fingerprints.
  if (ownership !== undefined) rules.push(["ownership", ownership]);
  if (immutable !== undefined) rules.push(["immutable", immutable]);
  if (first.stage !== undefined) rules.push(["stage", first.stage]);
  if (first.versionId !== undefined) rules.push(["versionId", first.versionId]);
  if (others.length > 0) {
    const more = others.map(({ id, stage, versionId, keys }) => [id, stage, versionId, canonicalKeys(keys)]);
    rules.push(["sources", more]);
  }
  if (namedKeys !== undefined) {
    // The names of sources have no effect without these keys.
    rules.push(["keys", canonicalSources(namedKeys), sources.map(({ name }) => name ?? null)]);
  }
  if (collisions !== undefined) rules.push(["collisions", collisions]);
  return createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 16);
}

// Raise it when a release renders the same rules differently, so that sweeps write every target again.
const RULES_VERSION = 1;

function canonicalKeys(keys: KeyRule): unknown {
  switch (keys.kind) {
    case "all":
      return ["all"];
    case "selected":
      return ["selected", sortedEntries(keys.keys)];
    case "value":
      return ["value", keys.key, ...(keys.decode === undefined ? [] : [keys.decode])];
    case "composed":
      return ["composed", canonicalSources(keys.keys)];
    case "none":
      return ["none"];
    case "extracted":
      // The first matching rename wins, so the order of renames matters; that of the patterns does not.
      return [
        "extracted",
        keys.include.toSorted(),
        keys.exclude.toSorted(),
        keys.rename.map(({ pattern, to }) => [pattern, to]),
        ...(keys.jmespath === undefined ? [] : [["jmespath", keys.jmespath]]),
        ...(keys.decode === undefined ? [] : [["decode", keys.decode]]),
      ];
  }
}

const canonicalSources = (keys: NamedKeys): unknown =>
  sortedEntries(keys).map(([key, made]) => [key, Object.entries(made).sort(([a], [b]) => (a < b ? -1 : 1))]);

const sortedEntries = <T>(map: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
