import { createHash } from "node:crypto";
import type { Binding } from "./binding.ts";

/**
 * Sixteen hex characters that differ when the rules of a binding differ, whatever the order and layout of the file.
 *
 * In it is everything that changes what an apply would write: the source as written (another source, another value),
 * keys, type, labels, annotations, and the deletion policy, which is kept on the target for the day when the binding is
 * gone. Not in it:
 * - the target, because the fingerprint is kept on the target itself, so moving a binding is no change of rules;
 * - `adopt`, because it decides whether we may write and not what: a Secret that was refused carries no fingerprint
 *   of ours anyway, and one that we own would be written again for nothing.
 */
export function fingerprintOf({
  source,
  keys,
  type,
  labels,
  annotations,
  deletionPolicy,
  ownership,
  immutable,
}: Pick<
  Binding,
  "source" | "keys" | "type" | "labels" | "annotations" | "deletionPolicy" | "ownership" | "immutable"
>): string {
  const rules: unknown[] = [
    RULES_VERSION,
    source.id,
    canonicalKeys(keys),
    type,
    sortedEntries(labels),
    sortedEntries(annotations),
    deletionPolicy,
  ];
  // Only where they are used: a binding without them keeps the fingerprint that it had before there were any.
  if (ownership !== undefined) rules.push(["ownership", ownership]);
  if (immutable !== undefined) rules.push(["immutable", immutable]);
  return createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 16);
}

// Raise it when the same rules come to mean another Secret, so that sweeps write every target once more.
const RULES_VERSION = 1;

function canonicalKeys(keys: Binding["keys"]): unknown {
  switch (keys.kind) {
    case "all":
      return ["all"];
    case "selected":
      return ["selected", sortedEntries(keys.keys)];
    case "value":
      return ["value", keys.key];
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
