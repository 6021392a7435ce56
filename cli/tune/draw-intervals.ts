import { escapeText } from "../markup/escape-text.ts";
import { printDuration, roughDuration } from "./duration.ts";
import type { PollingRow, RelayRow } from "./interval-rows.ts";
import type { IntervalPlan } from "./plan-intervals.ts";
import { dollars, plural } from "./print-number.ts";

/**
 * Staleness against monthly cost as one SVG file: no script, no font, no image from elsewhere. Both axes are
 * logarithmic, since a second and an hour, a cent and a thousand dollars have to be on one page. What tells the two
 * ways apart is the shape as well as the colour, and the numbers are in the description for whoever does not see it.
 */
export function drawIntervals(plan: IntervalPlan): string {
  const points = [...plan.polling.map(pointOf("polling")), ...plan.relay.map(pointOf("relay"))];
  const cost = scaleOf(
    points.map(({ usd }) => usd),
    { from: LEFT, to: WIDTH - RIGHT, ticks: COST_TICKS },
  );
  const time = scaleOf(
    points.flatMap(({ expectedMs, worstMs }) => [expectedMs, worstMs]),
    { from: HEIGHT - BOTTOM, to: TOP, ticks: TIME_TICKS },
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">
<title id="title">${escapeText(TITLE)}</title>
<desc id="description">${escapeText(describe(plan))}</desc>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>
<text class="title" x="${LEFT}" y="34">${escapeText(TITLE)}</text>
<text class="small" x="${LEFT}" y="56">${escapeText(subtitleOf(plan))}</text>
${axes(cost, time)}
${series(points, "polling", cost, time)}
${series(points, "relay", cost, time)}
${legend()}
</svg>
`;
}

const TITLE = "How long a Secret is stale, against what that costs";
const [WIDTH, HEIGHT] = [880, 580];
const [LEFT, RIGHT, TOP, BOTTOM] = [86, 40, 112, 66];

const STYLE = `
text{font:13px system-ui,sans-serif;fill:#1f2328}
.title{font-size:19px;font-weight:600}.small{font-size:12.5px;fill:#57606a}.label{font-weight:600}
.paper{fill:#fff}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#57606a;stroke-width:1}
.polling{stroke:#b35900;fill:#b35900}.relay{stroke:#0b62c4;fill:#0b62c4}
.line{fill:none;stroke-width:2}.whisker{stroke-width:1.5;stroke-dasharray:3 3}
text.polling,text.relay{stroke:none}.own{fill:#fff;stroke-width:3}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9da7b1}.paper{fill:#0d1117}.grid{stroke:#30363d}
.axis{stroke:#9da7b1}.polling{stroke:#f0a35c;fill:#f0a35c}.relay{stroke:#6cb6ff;fill:#6cb6ff}.own{fill:#0d1117}}
`.trim();

type Point = {
  readonly way: "polling" | "relay";
  readonly everyMs: number;
  readonly isOwn: boolean;
  readonly usd: number;
  readonly expectedMs: number;
  readonly worstMs: number;
};

const pointOf =
  (way: Point["way"]) =>
  ({ everyMs, isOwn, costs, staleness }: PollingRow | RelayRow): Point => ({
    way,
    everyMs,
    isOwn,
    // Nothing is nowhere on a logarithmic axis: a cent and a millisecond stand for it.
    usd: Math.max(0.01, costs.usd.total),
    expectedMs: Math.max(1, staleness.expectedMs),
    worstMs: Math.max(1, staleness.worstMs),
  });

type Tick = { readonly value: number; readonly label: string };
type Scale = { readonly place: (value: number) => number; readonly ticks: readonly Tick[] };

const COST_TICKS: readonly Tick[] = Array.from({ length: 13 }, (_, power) => 10 ** (power - 2)).map(
  (value) => ({
    value,
    label: dollars(value).replace(/\.00$/, ""),
  }),
);

const TIME_TICKS: readonly Tick[] = [
  1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 864_000_000, 31_536_000_000,
  315_360_000_000,
].map((value) => ({ value, label: roughDuration(value) }));

/** The axis ends at the ticks around what is drawn, so that every point lies within it. */
function scaleOf(
  values: readonly number[],
  { from, to, ticks }: { from: number; to: number; ticks: readonly Tick[] },
): Scale {
  const low = ticks.findLast(({ value }) => value <= Math.min(...values)) ?? ticks[0];
  const high =
    ticks.find(({ value }) => value >= Math.max(...values) && value > (low?.value ?? 0)) ?? ticks.at(-1);
  const [least, most] = [Math.log(low?.value ?? 1), Math.log(high?.value ?? 10)];
  return {
    place: (value) => round(from + ((Math.log(value) - least) / (most - least)) * (to - from)),
    ticks: ticks.filter(({ value }) => value >= (low?.value ?? 0) && value <= (high?.value ?? 0)),
  };
}

function axes(cost: Scale, time: Scale): string {
  const bottom = HEIGHT - BOTTOM;
  const vertical = cost.ticks.map(
    ({ value, label }) =>
      `<line class="grid" x1="${cost.place(value)}" y1="${TOP}" x2="${cost.place(value)}" y2="${bottom}"/>` +
      `<text class="small" x="${cost.place(value)}" y="${bottom + 20}" text-anchor="middle">${escapeText(label)}</text>`,
  );
  const horizontal = time.ticks.map(
    ({ value, label }) =>
      `<line class="grid" x1="${LEFT}" y1="${time.place(value)}" x2="${WIDTH - RIGHT}" y2="${time.place(value)}"/>` +
      `<text class="small" x="${LEFT - 10}" y="${time.place(value) + 4}" text-anchor="end">${escapeText(label)}</text>`,
  );
  return [
    ...vertical,
    ...horizontal,
    `<line class="axis" x1="${LEFT}" y1="${bottom}" x2="${WIDTH - RIGHT}" y2="${bottom}"/>`,
    `<line class="axis" x1="${LEFT}" y1="${TOP}" x2="${LEFT}" y2="${bottom}"/>`,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 18}" text-anchor="middle">Cost a month, list prices in USD</text>`,
    `<text transform="translate(22 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">Stale after a rotation</text>`,
  ].join("\n");
}

function series(all: readonly Point[], way: Point["way"], cost: Scale, time: Scale): string {
  const points = all.filter((point) => point.way === way);
  const line = points.map(({ usd, expectedMs }) => `${cost.place(usd)},${time.place(expectedMs)}`).join(" ");
  return [
    `<polyline class="${way} line" points="${line}"/>`,
    ...points.flatMap((point, index) => drawPoint(point, cost, time, labelled(points, index, cost, time))),
  ].join("\n");
}

/** Relays that sweep every 30 minutes and every hour cost nearly the same: of points in one place one is named. */
function labelled(points: readonly Point[], index: number, cost: Scale, time: Scale): boolean {
  const at = (point: Point) => [cost.place(point.usd), time.place(point.expectedMs)] as const;
  const here = points[index];
  if (here === undefined || here.isOwn) return true;
  const [x, y] = at(here);
  return points.every((other, place) => {
    const [otherX, otherY] = at(other);
    const isNear = Math.abs(otherX - x) < (other.isOwn ? 92 : 44) && Math.abs(otherY - y) < 20;
    return place === index || !isNear || (place > index && !other.isOwn);
  });
}

function drawPoint(point: Point, cost: Scale, time: Scale, isNamed: boolean): string[] {
  const { way, isOwn, usd, expectedMs, worstMs } = point;
  const [x, y, top] = [cost.place(usd), time.place(expectedMs), time.place(worstMs)];
  const mark = `class="${way}${isOwn ? " own" : ""}"`;
  const shape =
    way === "polling"
      ? `<circle ${mark} cx="${x}" cy="${y}" r="5.5"/>`
      : `<rect ${mark} x="${round(x - 5)}" y="${round(y - 5)}" width="10" height="10"/>`;
  if (!isNamed) return [shape];
  return [
    `<line class="${way} whisker" x1="${x}" y1="${y}" x2="${x}" y2="${top}"/>`,
    `<line class="${way}" x1="${round(x - 5)}" y1="${top}" x2="${round(x + 5)}" y2="${top}" stroke-width="1.5"/>`,
    shape,
    nameOf(point, x, y),
  ];
}

/** Polling's line falls to the right, so the room is below to the left of its marks; the relay's have it on the right. */
function nameOf({ way, everyMs, isOwn }: Point, x: number, y: number): string {
  const isLeft = way === "polling" ? x > LEFT + 100 : x > WIDTH - RIGHT - 100;
  const place = `x="${round(isLeft ? x - 8 : x + 8)}" y="${round(y + 19)}" text-anchor="${isLeft ? "end" : "start"}"`;
  return `<text class="${way} label" ${place}>${escapeText(printDuration(everyMs) + (isOwn ? " (yours)" : ""))}</text>`;
}

function legend(): string {
  const y = 84;
  return [
    `<circle class="polling" cx="${LEFT + 6}" cy="${y - 4}" r="5.5"/><text x="${LEFT + 18}" y="${y}">an operator that polls so often</text>`,
    `<rect class="relay" x="${LEFT + 232}" y="${y - 9}" width="10" height="10"/><text x="${LEFT + 250}" y="${y}">the relay, which sweeps so often</text>`,
    `<text class="small" x="${LEFT + 484}" y="${y}">mark: on average · bar above: at worst</text>`,
  ].join("\n");
}

function subtitleOf({ situation: { load, eventLoss, rotateEveryMs } }: IntervalPlan): string {
  const loss = Number((eventLoss * 100).toPrecision(3));
  return `${plural(load.secrets, "secret")} in ${plural(load.targets, "Kubernetes Secret")}, rotated every ${printDuration(rotateEveryMs)}; ${loss} % of events lost`;
}

function describe(plan: IntervalPlan): string {
  const tell = (way: string) => (row: PollingRow | RelayRow) =>
    `${way} every ${printDuration(row.everyMs)}: stale for ${roughDuration(row.staleness.expectedMs)} on average and ${roughDuration(row.staleness.worstMs)} at worst, ${dollars(row.costs.usd.total)} a month.`;
  return [
    `${subtitleOf(plan)}.`,
    ...plan.polling.map(tell("Polling")),
    ...plan.relay.map(tell("The relay sweeping")),
  ].join(" ");
}

const round = (number: number): number => Number(number.toFixed(1));
