import { FINDINGS, type FindingCode, remedyFor } from "../../shared/assess/catalogue.ts";
import type { RelayMarks } from "../../shared/identity/relay-identity.ts";
import type { OrphansUnknown } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { printAge } from "../terminal/words.ts";
import { isNotable, nameOfRow } from "./rows.ts";

export type Explanation = {
  readonly says: string;
  /** What was seen, one line each. */
  readonly details: readonly string[];
  /** What a person does. */
  readonly remedy: string;
  readonly commands: readonly string[];
};

/** A row in words, from the catalogue; undefined when there is nothing to say. */
export function explainRow(row: TargetRow, now: number): Explanation | undefined {
  if (!isNotable(row)) return undefined;
  const { finding, code, advice = "" } = row;
  const details = detailsOf(row, now);
  if (finding === null) return { says: code ?? row.action, details, remedy: advice, commands: [] };
  const { meaning }: { meaning: string } = FINDINGS[finding];
  const { remedy, command } = remedyFor(finding, { target: row, source: row.source });
  const says = code === undefined || code === finding ? meaning : `${meaning} ${code}.`;
  const isStopped = code === "HELD" || code === "CONTESTED";
  return {
    says,
    details,
    remedy: advice || remedy,
    commands: isStopped ? commandsOfStop(row) : [...(command ? [command] : []), ...holdCommand(row)],
  };
}

/** The lines below the name of a Secret. */
export function explanationLines(row: TargetRow, now: number): string[] {
  const explained = explainRow(row, now);
  if (explained === undefined) return [];
  const { says, details, remedy, commands } = explained;
  return [
    says,
    ...details.map((line) => `- ${line}`),
    ...(remedy === "" ? [] : [`→ ${remedy}`]),
    ...commands.map((line) => `$ ${line}`),
  ];
}

function detailsOf(row: TargetRow, now: number): string[] {
  const { fields = [], foreignKeys = [], staleMs, staleSources = [], trackedBy, until, deleteAfter } = row;
  const { changes = [], collisions = [], certificateExpiresInDays: days } = row;
  return [
    ...(until === undefined ? [] : [`held until ${until}`]),
    ...(deleteAfter === undefined
      ? []
      : [`waits for its deletion, which a sweep may do after ${deleteAfter}`]),
    ...(row.finding === "STALE" && staleMs !== undefined ? [`stale for ${printAge(staleMs)} at least`] : []),
    ...staleSources.map(({ source }) => `${source} moved on`),
    ...fields.map(({ field, what, manager, at }) => {
      const by = manager === undefined ? "" : ` by ${manager}`;
      const ago = at === undefined ? "" : `, ${printAge(now - Date.parse(at))} ago (${at})`;
      return `${field} ${what}${by}${ago}`;
    }),
    ...foreignKeys.map(
      ({ key, manager }) =>
        `key ${key} ${manager === undefined ? "has no known field manager" : `belongs to ${manager}`}`,
    ),
    ...(trackedBy === undefined
      ? []
      : [
          `tracked by ${trackedBy}, which will overwrite it after the takeover unless it releases the Secret`,
        ]),
    ...changes.map(({ key, what }) => `key ${key}: ${what}`),
    ...collisions.map(({ key }) => `key ${key} comes from several sources; the last one counts`),
    ...(days === undefined ? [] : [`its certificate expires in ${days} day(s)`]),
  ];
}

/** A hand edit may be on purpose, so the way to keep it for a while is shown beside the way to undo it. */
function holdCommand({ finding, action, namespace, name }: TargetRow): string[] {
  const isEdit = finding !== null && HAND_EDITS.has(finding) && action !== "refuse";
  return isEdit ? [`secret-relay hold ${namespace}/${name} --for 2h`] : [];
}

const HAND_EDITS: ReadonlySet<FindingCode> = new Set(["TAMPERED", "TAKEN_OVER", "VALUE_DIFFERS"]);

function commandsOfStop({ code, namespace, name }: TargetRow): string[] {
  return code === "HELD"
    ? [`secret-relay hold ${namespace}/${name} --release`]
    : [`secret-relay claim ${namespace}/${name} --yes`];
}

/** One Secret after the other; what is unknown for one reason in one cluster is said once. */
export function explainRows(rows: readonly TargetRow[], now: number): string[] {
  const groups = Map.groupBy(rows.filter(isNotable), (row) =>
    row.action === "unknown" ? `${row.cluster} ${row.code} ${row.advice}` : nameOfRow(row),
  );
  return [...groups.values()].map((group) => {
    const [first] = group;
    if (first === undefined) return "";
    const { cluster } = first;
    const head =
      group.length === 1
        ? nameOfRow(first)
        : `${cluster}: ${group.length} Secrets, ${group.slice(0, NAMED_MAX).map(shortName).join(", ")}${group.length > NAMED_MAX ? ", …" : ""}`;
    return [`${head}: ${headOf(first)}`, ...explanationLines(first, now).map((line) => `    ${line}`)].join(
      "\n",
    );
  });
}

const NAMED_MAX = 3;
const shortName = ({ namespace, name }: TargetRow): string => `${namespace}/${name}`;
const headOf = ({ finding, action, code }: TargetRow): string =>
  action === "unknown" ? "unknown" : (finding ?? code ?? action);

/** Namespaces in which orphans could not be looked for. */
export function explainOrphansUnknown(places: readonly OrphansUnknown[]): string[] {
  return places.map(
    ({ cluster, namespace, code }) =>
      `${cluster}/${namespace}: orphans are unknown, since its Secrets could not be listed (${code}).`,
  );
}

/** With credentials of another account or Region every Secret looks like that of another relay. */
export function identityRemark(rows: readonly TargetRow[], { identity }: RelayMarks): string[] {
  if (!rows.some(({ finding }) => finding === "OWNED_BY_ANOTHER_RELAY")) return [];
  return [
    `This command acts as relay ${identity}: the name is relay in the bindings, account and Region are those of your AWS credentials. If the relay runs elsewhere, change --profile or --region.`,
  ];
}
