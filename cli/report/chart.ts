import { countOf, instantOf, spanOf } from "../terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { State } from "./states.ts";

/** The tone is the colour of a state. */
export type Series = { readonly name: string; readonly tone: State };

type Chart = {
  readonly id: string;
  readonly title: string;
  /** The chart as one sentence, for screen readers. */
  readonly summary: string;
  readonly series: readonly Series[];
  /** One value for each series, or undefined. */
  readonly points: readonly ChartPoint[];
  readonly kind: "lines" | "bars";
  readonly scale: Scale;
};

export type ChartPoint = { readonly at: number; readonly values: readonly (number | undefined)[] };

/** Maps a value to its height, from 0 at the bottom to 1. */
export type Scale = {
  readonly ticks: readonly number[];
  readonly heightOf: (value: number) => number;
  readonly say: (value: number) => string;
  /** The label of a tick, if it differs. */
  readonly sayTick?: (value: number) => string;
};

/**
 * A chart without script. The SVG is stretched to the available width, so all its text is HTML, which stays readable on a
 * phone. A table with the same numbers follows.
 */
export function chart({ id, title, summary, series, points, kind, scale }: Chart): Html {
  const from = points[0]?.at ?? 0;
  const to = points.at(-1)?.at ?? 0;
  const shapes = kind === "lines" ? lines(series, points, scale) : bars(series, points, scale);
  return html`<figure class="chart" aria-labelledby="${id}-title">
<figcaption><h3 id="${id}-title">${title}</h3><p>${summary}</p></figcaption>
<div class="plot">
<ol class="ticks" aria-hidden="true">${scale.ticks.toReversed().map((tick) => html`<li>${(scale.sayTick ?? scale.say)(tick)}</li>`)}</ol>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary}">
${scale.ticks.map((tick) => {
  const y = yOf(scale.heightOf(tick));
  return html`<path class="grid" d="M0 ${y}H${WIDTH}"/>`;
})}
${shapes}
</svg>
<p class="span" aria-hidden="true"><time>${instantOf(from)}</time><time>${instantOf(to)}</time></p>
</div>
<div class="below">
<ul class="legend">${series.map(({ name, tone }) => html`<li class="tone-${tone}">${name}</li>`)}</ul>
<details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${title}, as a table"><table>
<thead><tr><th scope="col">Time (UTC)</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${points.map(
    ({ at, values }) =>
      html`<tr><th scope="row">${instantOf(at)}</th>${series.map((_, index) => {
        const value = values[index];
        return html`<td>${value === undefined ? "–" : scale.say(value)}</td>`;
      })}</tr>`,
  )}</tbody></table></div></details>
</div>
</figure>`;
}

function lines(series: readonly Series[], points: readonly ChartPoint[], scale: Scale): Html[] {
  const from = points[0]?.at ?? 0;
  const span = (points.at(-1)?.at ?? 0) - from;
  const xOf = (at: number) => round(span === 0 ? WIDTH / 2 : ((at - from) / span) * WIDTH);
  return series.map(({ name, tone }, index) => {
    const known = points.flatMap(({ at, values }) => {
      const value = values[index];
      return value === undefined ? [] : [{ at, value, x: xOf(at), y: yOf(scale.heightOf(value)) }];
    });
    const path = known.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x} ${y}`).join("");
    const dots = known.length > DOTS_MAX ? [] : known;
    return html`<g class="tone-${tone}"><path class="line" d="${path}"/>${dots.map(
      ({ at, value, x, y }) =>
        html`<path class="dot" d="M${x} ${y}h0"><title>${name}, ${instantOf(at)}: ${scale.say(value)}</title></path>`,
    )}</g>`;
  });
}

function bars(series: readonly Series[], points: readonly ChartPoint[], scale: Scale): Html[] {
  const step = WIDTH / Math.max(points.length, BARS_MIN);
  const left = (WIDTH - step * points.length) / 2;
  return points.map(({ at, values }, index) => {
    let below = 0;
    const parts = series.map(({ tone }, which) => {
      const value = values[which] ?? 0;
      if (value === 0) return undefined;
      const top = yOf(scale.heightOf(below + value));
      const bottom = yOf(scale.heightOf(below));
      below += value;
      return html`<rect class="tone-${tone}" x="${round(left + step * (index + 0.15))}" width="${round(step * 0.7)}" y="${top}" height="${round(bottom - top)}"/>`;
    });
    const label = series.map(({ name }, which) => `${name} ${scale.say(values[which] ?? 0)}`).join(", ");
    return html`<g class="bar"><title>${instantOf(at)}: ${label}</title><rect class="hover" x="${round(left + step * index)}" width="${round(step)}" y="0" height="${HEIGHT}"/>${parts}</g>`;
  });
}

/** Logarithmic, for times from milliseconds to hours. */
export function decades(values: readonly number[]): Scale {
  const known = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...known, 1_000)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...known, 1))));
  const ticks = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step));
  const heightOf = (value: number) => clamp((Math.log10(Math.max(value, 1e-9)) - low) / (high - low));
  const sayTick = (ms: number) => (ms < 1_000 ? `${ms} ms` : `${countOf(ms / 1_000)} s`);
  return { ticks, heightOf, say: spanOf, sayTick };
}

/** For counts, from zero. */
export function counts(values: readonly number[]): Scale {
  return even(0, niceStep(Math.max(...values, 1) / TICKS, [1, 2, 5]) * TICKS, countOf);
}

/** For durations, from zero, with ticks at common durations. */
export function spans(values: readonly number[]): Scale {
  const wanted = Math.max(...values, 1_000) / TICKS;
  const step = SPANS.find((span) => span >= wanted) ?? Math.ceil(wanted / DAY_MS) * DAY_MS;
  return even(0, step * TICKS, (ms) => (ms === 0 ? "0" : spanOf(ms)));
}

/** For shares close to one: from the next lower limit to 100 %. */
export function shares(values: readonly number[]): Scale {
  const lowest = Math.min(...values, 1);
  const floor = [0.999, 0.99, 0.98, 0.96, 0.92, 0.8, 0.6].find((limit) => limit <= lowest) ?? 0;
  return even(floor, 1, (share) => `${Number((share * 100).toFixed(3))}%`);
}

function even(low: number, high: number, say: Scale["say"]): Scale {
  const ticks = Array.from({ length: TICKS + 1 }, (_, step) => low + ((high - low) / TICKS) * step);
  return { ticks, heightOf: (value) => clamp((value - low) / (high - low)), say };
}

function niceStep(atLeast: number, steps: readonly number[]): number {
  const decade = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(atLeast, 1))));
  return decade * ([...steps, 10].find((step) => step * decade >= atLeast) ?? 10);
}

const WIDTH = 1_000;
const HEIGHT = 200;
const TICKS = 4;
/** More dots would overlap. */
const DOTS_MAX = 120;
/** Fewer bars would be too wide. */
const BARS_MIN = 16;
const DAY_MS = 86_400_000;
const SPANS = [
  0.25, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1_000);

const yOf = (height: number): number => round(HEIGHT - height * HEIGHT);
const clamp = (share: number): number => Math.min(1, Math.max(0, share));
const round = (number: number): number => Math.round(number * 100) / 100;
