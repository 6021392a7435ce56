import { countOf, dollars, percent, plural, printDuration, roughDuration } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { PollingRow, RelayRow } from "./interval-rows.ts";
import { KNOWN, type KnownNumber } from "./known-numbers.ts";
import type { IntervalPlan } from "./plan-intervals.ts";

export const RELAY_HEADINGS = ["EVERY", "STALE", "99 IN 100", "WORST", "CALLS", "USD", "QUOTA", "AT ONCE"];
export const POLLING_HEADINGS = [...RELAY_HEADINGS, "MARGIN"];

export function printPlan(terminal: Pick<Terminal, "paint" | "width">, plan: IntervalPlan): string {
  const { load, rotateEveryMs, eventLoss, deliveryDelayMs, pollFailures, credentialLifeMs } = plan.situation;
  const stackUsd = plan.relay[0]?.costs.usd.stack ?? 0;
  return [
    `${plural(load.secrets, "secret")} in ${plural(load.targets, "Kubernetes Secret")}, ${plural(load.namespaces, "namespace")}, ${plural(load.clusters, "cluster")}; rotated every ${printDuration(rotateEveryMs)}`,
    "",
    terminal.paint(
      "bold",
      `Polling operator${pollFailures > 0 ? `; ${percent(pollFailures)} of polls fail` : ""}`,
    ),
    table(terminal, POLLING_HEADINGS, plan.polling.map(pollingCells)),
    "",
    terminal.paint(
      "bold",
      `Relay with sweeps; events take ${roughDuration(deliveryDelayMs)}, ${percent(eventLoss)} of them get lost`,
    ),
    table(terminal, RELAY_HEADINGS, plan.relay.map(relayCells)),
    "",
    ...wrapped(plan.advice.sentences.join(" "), terminal.width),
    "",
    ...NOTES(printDuration(credentialLifeMs), dollars(stackUsd)).flatMap((note) =>
      wrapped(note, terminal.width).map((line) => terminal.paint("dim", line)),
    ),
  ].join("\n");
}

const NOTES = (life: string, stack: string): string[] => [
  "* yours. STALE: on average after a rotation; 99 IN 100: 99 of 100 are fresh by then. CALLS and USD: a month. QUOTA: the share of GetSecretValue's when polling, of ListSecrets' or DescribeSecret's when sweeping; AT ONCE: when everything is due in the same second.",
  `MARGIN: safe if two polls fit into the ${life} lifetime of the operator's credentials. If credentials expire during a round, the rest of the round waits for the next one: twice the time under WORST. The relay renews its credentials before each run. The shortest schedule of the stack is 2m.`,
  `USD: list prices without free tiers. The relay includes its functions and about ${stack} for alarms and metrics; the operator excludes its pods. --sources lists the sources.`,
];

export const pollingCells = (row: PollingRow): string[] => [...relayCells(row), row.credentials];

export function relayCells(row: RelayRow): string[] {
  const { staleness, costs } = row;
  return [
    everyOf(row),
    roughDuration(staleness.expectedMs),
    roughDuration(staleness.p99Ms),
    roughDuration(staleness.worstMs),
    countOf(costs.callsAMonth),
    dollars(costs.usd.total),
    percent(costs.quota.average),
    percent(costs.quota.atOnce),
  ];
}

const everyOf = ({ everyMs, isOwn }: RelayRow): string => `${printDuration(everyMs)}${isOwn ? " *" : ""}`;

export function printSources(terminal: Pick<Terminal, "paint" | "width">): string {
  return (Object.values(KNOWN) as readonly KnownNumber[])
    .flatMap(({ what, source, seenOn }) => [
      ...wrapped(what, terminal.width),
      ...wrapped(`${source} (${seenOn})`, terminal.width - 4).map((line) =>
        terminal.paint("dim", `    ${line}`),
      ),
    ])
    .join("\n");
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > Math.min(width, 110)) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
