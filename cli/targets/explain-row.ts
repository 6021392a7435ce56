import { FINDINGS, type FindingCode, remedyFor } from "../../shared/assess/catalogue.ts";
import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { OrphansUnknown, SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";
import { printAge, shortVersion } from "../terminal/format.ts";
import { groupByCause, nameOfGroup } from "./group-by-cause.ts";
import { isNotable } from "./rows.ts";

export type Explanation = {
  readonly says: string;
  /** Observations, one per line. */
  readonly details: readonly string[];
  readonly remedy: string;
  readonly commands: readonly string[];
};

/** Explains a row from the catalogue. Undefined for a row that needs no explanation. */
export function explainRow(row: TargetRow, now: number): Explanation | undefined {
  if (!isNotable(row)) return undefined;
  const { finding, code, advice = "" } = row;
  const details = detailsOf(row, now);
  if (finding === null) {
    const says = row.action === "none" ? sayInOrder(row) : row.action;
    return { says: code ?? says, details, remedy: advice, commands: [] };
  }
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

function sayInOrder({ restarts = [] }: TargetRow): string {
  if (restarts.length === 0) return "The Secret is in order.";
  const isFinished = restarts.every(({ rollout }) => rollout?.state === "complete");
  return `The Secret is in order. Its workloads ${isFinished ? "run with it" : "are not finished"}:`;
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
  const { changes = [], collisions = [], restarts = [], certificateExpiresInDays: days } = row;
  return [
    ...(until === undefined ? [] : [`held until ${until}`]),
    ...(deleteAfter === undefined ? [] : [`waits for deletion by a sweep after ${deleteAfter}`]),
    ...(row.finding === "STALE" && staleMs !== undefined ? [`stale for at least ${printAge(staleMs)}`] : []),
    ...staleSources.map(({ source }) => `${source} has a newer version`),
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
      : [`tracked by ${trackedBy}, which overwrites it after the takeover unless it releases the Secret`]),
    ...changes.map(({ key, what }) => `key ${key}: ${what}`),
    ...collisions.map(({ key }) => `key ${key} comes from several sources; the last one counts`),
    ...restarts.flatMap((restart) => describeRestart(restart, now)),
    ...describePods(row, now),
    ...(days === undefined ? [] : [`its certificate expires in ${days} day(s)`]),
  ];
}

/** Restarts that wait or begin, and rollouts whose completion was not recorded before. */
function describeRestart(restart: RestartOutcome, now: number): string[] {
  const { workload, outcome, rollout, versionId, since, until } = restart;
  const version = versionId === undefined ? "" : ` for version ${shortVersion(versionId)}`;
  const age = since === undefined ? "" : `, since ${printAge(now - Date.parse(since))} (${since})`;
  if (rollout?.state === "complete") return [`${workload}: its rollout${version} is complete`];
  if (rollout !== undefined) {
    const { state, reason, podReasons = [], pods } = rollout;
    const causes = [reason, podReasons.length > 0 && `new pods: ${podReasons.join(", ")}`].filter(Boolean);
    const why = causes.length === 0 ? "" : ` (${causes.join("; ")})`;
    const count =
      pods === undefined ? "" : `, ${pods.available} of ${pods.desired} pods are new and available`;
    return [`${workload}: its rollout${version} is ${state}${why}${count}${age}`];
  }
  if (outcome === "restarted") return [`${workload}: its pods are being replaced`];
  if (outcome === "already") return [];
  const end = until === undefined ? "" : `, until ${until}`;
  return [`${workload}: its restart${version} ${stateOfRestart(restart)}${age}${end}`];
}

function stateOfRestart({ outcome, code, until }: RestartOutcome): string {
  if (outcome === "due") return until === undefined ? "is due" : "waits for its delay";
  return `${outcome === "refused" ? "is refused" : "waits"} (${code})`;
}

function describePods(
  { outdatedPods = [], outdatedPodCount = 0, podsUnknown }: TargetRow,
  now: number,
): string[] {
  const more = outdatedPodCount - outdatedPods.length;
  return [
    ...outdatedPods.map(({ pod, workload, startedAt }) => {
      const of = workload === undefined ? "" : ` of ${workload}`;
      return `Pod ${pod}${of} runs since ${startedAt} (${printAge(now - Date.parse(startedAt))})`;
    }),
    ...(more > 0 ? [`${more} more Pods`] : []),
    ...(podsUnknown === undefined ? [] : [`its Pods could not be listed (${podsUnknown})`]),
  ];
}

/** A hand edit can be intended, so the command that keeps it for a while is shown, too. */
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

/** Explains each row; Secrets of one cluster with the same explanation are grouped. */
export function explainRows(rows: readonly TargetRow[], now: number): string[] {
  const textOf = (row: TargetRow) =>
    [headOf(row), ...explanationLines(row, now).map((line) => `    ${line}`)].join("\n");
  return groupByCause(rows.filter(isNotable), textOf).map((group) => {
    const [first] = group;
    return first === undefined ? "" : `${nameOfGroup(group)}: ${textOf(first)}`;
  });
}

const headOf = ({ finding, action, code }: TargetRow): string =>
  action === "unknown" ? "unknown" : (finding ?? code ?? (action === "none" ? "in order" : action));

/** Namespaces in which orphans could not be listed. */
export function explainOrphansUnknown(namespaces: readonly OrphansUnknown[]): string[] {
  return namespaces.map(
    ({ cluster, namespace, code }) =>
      `${cluster}/${namespace}: orphans are unknown, because its Secrets could not be listed (${code}).`,
  );
}

/** The remarks below a list of rows. `ownMetadata` is the identity of this command, if it compared the rows itself. */
export const remarksOn = (
  { targets, orphansUnknown }: Pick<SweepReport, "targets" | "orphansUnknown">,
  ownMetadata: RelayMetadata | undefined,
): string[] => [
  ...explainOrphansUnknown(orphansUnknown),
  ...(ownMetadata ? identityRemark(targets, ownMetadata) : []),
];

/** With credentials of the wrong account or Region, every Secret seems to belong to another relay. */
export function identityRemark(rows: readonly TargetRow[], { identity }: RelayMetadata): string[] {
  if (!rows.some(({ finding }) => finding === "OWNED_BY_ANOTHER_RELAY")) return [];
  return [
    `This command acts as relay ${identity}. The name comes from the bindings, account and Region from your AWS credentials. If the relay runs elsewhere, change --profile or --region.`,
  ];
}
