import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { plural } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { SecretCheck } from "./check-secrets.ts";
import type { Conversions } from "./convert-manifests.ts";
import type { ManifestProblem } from "./manifest.ts";
import { NOTES, type NoteCode } from "./notes.ts";

/** The result of each conversion, for stderr. */
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
    ...covered.map((name) => `ClusterExternalSecret ${name} is converted by its ExternalSecrets`),
    ...unread,
    ...refused,
    ...(notes.length > 0 ? ["", terminal.paintMessage("bold", "Notes"), ...notes] : []),
  ].join("\n");
}

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
