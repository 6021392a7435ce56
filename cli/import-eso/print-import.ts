import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { TargetEntry } from "../../shared/bindings/bindings-file.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { plural } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { SecretCheck } from "./check-secrets.ts";
import type { Conversions } from "./convert-manifests.ts";
import type { ManifestProblem } from "./manifest.ts";
import { NOTES, type NoteCode } from "./notes.ts";
import type { SettledNote } from "./settle-notes.ts";

/** The result of each conversion, for stderr. */
export function printConversions(
  terminal: Pick<Terminal, "paintMessage">,
  { converted, notConverted, covered }: Conversions,
  problems: readonly ManifestProblem[],
  checked: readonly SecretCheck[] = [],
): string {
  const refused = notConverted.flatMap(({ file, resource, objections }) => [
    terminal.paintMessage("red", `${resource} (${file}) is not converted`),
    ...objections.map(({ path, code, reason }) => `  ${path}: ${code}: ${reason}.`),
  ]);
  const unread = problems.map(({ file, reason }) =>
    terminal.paintMessage("red", `${file} is not read: ${reason}.`),
  );
  const notes = headed(converted, checked, (now) => now !== "unaffected").map(
    ({ code, heading }) => `${heading}\n  ${NOTES[code].text}`,
  );
  const settled = headed(converted, checked, (now) => now === "unaffected");
  return [
    `${plural(converted.length, "binding")} made, ${notConverted.length} not converted${problems.length > 0 ? `, ${plural(problems.length, "file")} not read` : ""}`,
    ...covered.map((name) => `ClusterExternalSecret ${name} is converted by its ExternalSecrets`),
    ...unread,
    ...refused,
    ...(notes.length > 0 ? ["", terminal.paintMessage("bold", "Notes"), ...notes] : []),
    ...(settled.length > 0
      ? ["", terminal.paintMessage("bold", SETTLED), ...settled.map(({ heading }) => `  ${heading}`)]
      : []),
  ].join("\n");
}

const SETTLED = "Notes that concern none of the present values";

const NOW = {
  affected: ": concerns the present value",
  unknown: ": unknown, because the Secret was not rendered",
  unaffected: "",
} as const;

/** Each note with the resources that it is about, such as `LAST_WINS (ExternalSecret shop/db)`. */
function headed(
  converted: Conversions["converted"],
  checked: readonly SecretCheck[],
  isWanted: (now: SettledNote["now"] | undefined) => boolean,
): { readonly code: NoteCode; readonly heading: string }[] {
  const all = converted.flatMap(({ resource, entry, notes }) =>
    notes.map((code) => ({ code, resource, ...settledNote(code, entry.targets, checked) })),
  );
  const groups = Map.groupBy(
    all.filter(({ now }) => isWanted(now)),
    ({ code, now }) => `${code} ${now}`,
  );
  return [...groups.values()].flatMap((found) => {
    const [first] = found;
    if (first === undefined) return [];
    const { code, now } = first;
    const resources = shortList(found.map(({ resource }) => resource));
    return [{ code, heading: `${code} (${resources})${now === undefined ? "" : NOW[now]}` }];
  });
}

/** The value notes of each Secret, for its check. */
export function notesByTarget(
  converted: Conversions["converted"],
): (target: TargetRef) => readonly NoteCode[] {
  const notes = new Map(
    converted.flatMap(({ entry, notes }) => entry.targets.map((target) => [keyOf(target), notes] as const)),
  );
  return (target) => notes.get(keyOf(target)) ?? [];
}

/** Of several Secrets of one binding, the one that is affected counts. Empty if the note was not checked. */
export function settledNote(
  code: NoteCode,
  targets: readonly TargetEntry[],
  checked: readonly SecretCheck[] = [],
): Partial<Pick<SettledNote, "now">> {
  const keys = new Set(targets.map(keyOf));
  const found = checked
    .filter(({ target }) => keys.has(keyOf(target)))
    .flatMap(({ notes }) => notes.filter((note) => note.code === code).map(({ now }) => now));
  const now = (["affected", "unknown", "unaffected"] as const).find((state) => found.includes(state));
  return now === undefined ? {} : { now };
}

const keyOf = ({ namespace, name }: Pick<TargetEntry, "namespace" | "name">): string =>
  `${namespace}/${name}`;

function shortList(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

export function printChecks(
  terminal: Pick<Terminal, "paint" | "width">,
  checked: readonly SecretCheck[],
): string {
  const rows = checked.flatMap((one) => {
    const start = [nameOfTarget(one.target), one.step ?? ""];
    if (one.is === "absent")
      return [[...start, "", terminal.paint("yellow", "absent: the binding will create it")]];
    if (one.is === "unknown") return [[...start, "", terminal.paint("red", `unknown: ${one.code}`)]];
    return [
      ...one.keys.map(({ key, is }) => [...start, key, terminal.paint(is === "equal" ? "green" : "red", is)]),
      ...one.around.map((what) => [...start, `(${what})`, terminal.paint("red", "different")]),
    ];
  });
  return table(terminal, ["SECRET", "STEP", "KEY", "RESULT"], rows);
}

/** The next commands of the takeover, which a person copies; undefined when nothing is left to do. */
export function printNextSteps(
  terminal: Pick<Terminal, "paintMessage">,
  checked: readonly SecretCheck[],
): string | undefined {
  const commands = [...new Set(checked.flatMap(({ next = [] }) => next))];
  if (commands.length === 0) return undefined;
  return [terminal.paintMessage("bold", "Next"), ...commands.map((command) => `  ${command}`)].join("\n");
}
