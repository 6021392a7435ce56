import { isDeepStrictEqual } from "node:util";
import type { Binding, KeyRule } from "../../shared/bindings/binding.ts";
import { nameOfSource, nameOfSources } from "../../shared/bindings/name-of-sources.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { BindingsDiff, ChangedBinding } from "../../shared/bindings/published/diff-bindings.ts";
import { countOf, plural } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** One row per binding that a publication adds, removes or changes, for people and for --json. */
export type DiffRow = {
  readonly change: "added" | "removed" | "changed";
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** One sentence for each difference. */
  readonly details: readonly string[];
};

export function rowsOfDiff({ added, removed, changed }: BindingsDiff): DiffRow[] {
  return [
    ...added.map((binding) => rowOf("added", binding, [`keys: ${printRules(binding)}`])),
    ...removed.map((binding) => rowOf("removed", binding, [afterRemoval(binding)])),
    ...changed.map((change) => rowOf("changed", change.after, detailsOf(change))),
  ];
}

const rowOf = (change: DiffRow["change"], binding: Binding, details: readonly string[]): DiffRow => ({
  change,
  ...binding.target,
  source: nameOfSources(binding),
  details,
});

const afterRemoval = ({ deletionPolicy }: Binding): string =>
  deletionPolicy === "delete"
    ? "the Secret is deleted after the grace period (deletionPolicy: delete)"
    : "the Secret stays as it is (deletionPolicy: retain)";

function detailsOf({ before, after, fields }: ChangedBinding): string[] {
  const isOfKeys = (field: string) => field === "sources" || field === "namedKeys";
  const others = fields.filter((field) => !isOfKeys(field)) as (keyof Binding)[];
  return [
    ...(fields.some(isOfKeys) ? [detailOfKeys(before, after)] : []),
    ...others.map((field) => `${field}: ${printField(before[field])} -> ${printField(after[field])}`),
  ];
}

function detailOfKeys(before: Binding, after: Binding): string {
  const [was, is] = [nameOfSources(before), nameOfSources(after)];
  const [rules, newRules] = [printRules(before), printRules(after)];
  const [made, newlyMade] = [composedKeys(before), composedKeys(after)];
  const otherwise = [...newlyMade.keys()].filter(
    (key) => made.has(key) && !isDeepStrictEqual(made.get(key), newlyMade.get(key)),
  );
  const details = [
    ...(was === is ? [] : [`source: ${was} -> ${is}`]),
    ...(rules === newRules ? [] : [`keys: ${rules} -> ${newRules}`]),
    ...(otherwise.length > 0 ? [`how ${otherwise.join(", ")} is made`] : []),
  ];
  return details.length > 0 ? details.join("; ") : "version, name or decoding of a source";
}

/** Each key that is made of one key, an expression or a template, with its rule. */
const composedKeys = ({ sources, namedKeys = {} }: Binding): ReadonlyMap<string, unknown> =>
  new Map(
    [...sources.map(({ keys }) => (keys.kind === "composed" ? keys.keys : {})), namedKeys]
      .flatMap((keys) => Object.entries(keys))
      .map(([key, rule]) => [key, { ...rule }]),
  );

const printField = (value: unknown): string => {
  if (value === undefined || isDeepStrictEqual(value, {})) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

function printRules({ sources, namedKeys }: Binding): string {
  const [first, ...others] = sources;
  const own = sources.filter(({ keys }) => keys.kind !== "none");
  const named = sources.filter(({ name }) => name !== undefined).map(nameOfSource);
  return [
    ...(others.length === 0 && first.keys.kind !== "none" ? [printRule(first.keys)] : []),
    ...(others.length > 0 ? own.map((source) => `${printRule(source.keys)} of ${nameOfSource(source)}`) : []),
    ...(namedKeys === undefined
      ? []
      : [`${Object.keys(namedKeys).join(", ")} made from ${named.join(", ")}`]),
  ].join(", ");
}

function printRule(rule: KeyRule): string {
  switch (rule.kind) {
    case "all":
      return "all";
    case "selected":
    case "composed":
      return Object.keys(rule.keys).join(", ");
    case "value":
      return rule.key;
    case "none":
      return "none of its own";
    case "extracted":
      return `those that match ${rule.include.join(", ")}${rule.jmespath === undefined ? "" : ` in ${rule.jmespath}`}`;
  }
}

const SIGNS = { added: ["+", "green"], removed: ["-", "red"], changed: ["~", "yellow"] } as const;

export function printDiff(
  terminal: Pick<Terminal, "out" | "paint">,
  diff: BindingsDiff,
  rows: readonly DiffRow[],
): void {
  for (const row of rows.slice(0, ROWS_SHOWN_MAX)) {
    const [sign, colour] = SIGNS[row.change];
    terminal.out(terminal.paint(colour, `${sign} ${nameOfTarget(row)} from ${row.source}`));
    for (const detail of row.details) terminal.out(`    ${detail}`);
  }
  const more = rows.length - ROWS_SHOWN_MAX;
  if (more > 0) terminal.out(`… and ${countOf(more)} more. To list all: --json`);
  for (const change of ["added", "removed", "changed"] as const) {
    for (const key of diff.clusters[change]) terminal.out(`cluster ${key}: ${change}`);
  }
  terminal.out(summaryOf(diff));
}

/** A first publication of a fleet has one row for each of its Secrets. */
const ROWS_SHOWN_MAX = 200;

export const summaryOf = ({ added, removed, changed }: BindingsDiff): string =>
  `${plural(added.length, "Secret")} added, ${removed.length} removed, ${changed.length} changed.`;
