import { createHash } from "node:crypto";
import type { Binding, KeyRule } from "./binding.ts";

/**
 * Sixteen hex characters that differ when the rules of a binding differ, whatever the order and layout of the file.
 *
 * In it is everything that changes what an apply would write: the sources as written (another source, another value),
 * their versions, keys and order, type, labels, annotations, and the deletion policy, which is kept on the target for the day when the binding is
 * gone. Not in it:
 * - the target, because the fingerprint is kept on the target itself, so moving a binding is no change of rules;
 * - `adopt`, because it decides whether we may write and not what: a Secret that was refused carries no fingerprint
 *   of ours anyway, and one that we own would be written again for nothing.
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
}: Pick<
  Binding,
  "sources" | "collisions" | "type" | "labels" | "annotations" | "deletionPolicy" | "ownership" | "immutable"
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
  // Only where they are used: a binding without them keeps the fingerprint that it had before there were any.
  if (ownership !== undefined) rules.push(["ownership", ownership]);
  if (immutable !== undefined) rules.push(["immutable", immutable]);
  if (first.stage !== undefined) rules.push(["stage", first.stage]);
  if (first.versionId !== undefined) rules.push(["versionId", first.versionId]);
  if (others.length > 0) {
    const more = others.map(({ id, stage, versionId, keys }) => [id, stage, versionId, canonicalKeys(keys)]);
    rules.push(["sources", more]);
  }
  if (collisions !== undefined) rules.push(["collisions", collisions]);
  return createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 16);
}

// Raise it when the same rules come to mean another Secret, so that sweeps write every target once more.
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
      return [
        "composed",
        sortedEntries(keys.keys).map(([key, made]) => [
          key,
          Object.entries(made).sort(([a], [b]) => (a < b ? -1 : 1)),
        ]),
      ];
    case "extracted":
      // Of renames the first that fits counts, so their order is a rule; that of the patterns is none.
      return [
        "extracted",
        keys.include.toSorted(),
        keys.exclude.toSorted(),
        keys.rename.map(({ pattern, to }) => [pattern, to]),
      ];
  }
}

const sortedEntries = <T>(map: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
