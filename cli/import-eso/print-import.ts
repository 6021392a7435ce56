import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { plural } from "../tune/print-number.ts";
import type { Checked } from "./check-secrets.ts";
import type { Conversions } from "./convert-manifests.ts";
import type { ManifestProblem } from "./manifest.ts";
import { NOTES, type NoteCode } from "./notes.ts";

/** What became of each, and why: for stderr, beside the bindings on stdout. */
export function printConversions(
  terminal: Pick<Terminal, "paintMessage">,
  { converted, notConverted, covered }: Conversions,
  problems: readonly ManifestProblem[],
): string {
  const refused = notConverted.flatMap(({ file, resource, objections }) => [
    terminal.paintMessage("red", `${resource} (${file}) is not converted`),
    ...objections.map(({ path, code, reason }) => `  ${path}: ${code}: ${reason}.`),
  ]);
  const unread = problems.map(({ file, reason }) =>
    terminal.paintMessage("red", `${file} is not read: ${reason}.`),
  );
  const users = new Map<NoteCode, string[]>();
  for (const { resource, notes } of converted) {
    for (const code of notes) users.set(code, [...(users.get(code) ?? []), resource]);
  }
  const notes = [...users].map(
    ([code, resources]) => `${code} (${shortList(resources)})\n  ${NOTES[code].text}`,
  );
  return [
    `${plural(converted.length, "binding")} made, ${notConverted.length} not converted${problems.length > 0 ? `, ${plural(problems.length, "file")} not read` : ""}`,
    ...covered.map(
      (name) => `ClusterExternalSecret ${name} is converted as the ExternalSecrets that it made`,
    ),
    ...unread,
    ...refused,
    ...(notes.length > 0 ? ["", terminal.paintMessage("bold", "Good to know"), ...notes] : []),
  ].join("\n");
}

function shortList(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

/** Key by key, names and verdicts. */
export function printChecked(
  terminal: Pick<Terminal, "paint" | "width">,
  checked: readonly Checked[],
): string {
  const rows = checked.flatMap((one) => {
    const name = nameOfTarget(one.target);
    if (one.is === "absent")
      return [[name, "", terminal.paint("yellow", "absent: the binding will make it")]];
    if (one.is === "unknown") return [[name, "", terminal.paint("red", `unknown: ${one.code}`)]];
    return [
      ...one.keys.map(({ key, is }) => [name, key, terminal.paint(is === "equal" ? "green" : "red", is)]),
      ...one.around.map((what) => [name, `(${what})`, terminal.paint("red", "different")]),
    ];
  });
  return table(terminal, ["SECRET", "KEY", "IS"], rows);
}
