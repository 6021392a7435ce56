import { escapeText } from "../cli/markup/escape-text.ts";

/** One bar, perhaps of several parts, and what stands behind it. */
export type Bar = { readonly label: string; readonly parts: readonly BarPart[]; readonly note: string };
export type BarPart = { readonly value: number; readonly name: string };
export type Plot = {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  /** A limit that everything is to be held against, as a line through all bars. */
  readonly limit?: { readonly value: number; readonly name: string };
  /** Where values lie orders of magnitude apart. */
  readonly isLogarithmic?: boolean;
};

/** Horizontal bars as an SVG that reads in a light and in a dark page. */
export function barPlot({ title, unit, bars, limit, isLogarithmic = false }: Plot): string {
  const names = [...new Set(bars.flatMap(({ parts }) => parts.map(({ name }) => name)))].filter(
    (name) => name !== "",
  );
  const legendRows = Math.ceil(names.length / LEGEND_COLUMNS);
  const top = 54 + legendRows * 20 + (limit === undefined ? 0 : 20);
  const height = top + bars.length * ROW + 16;
  const totals = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const max = Math.max(...totals, limit?.value ?? 0);
  const scale = (value: number): number => {
    const share = isLogarithmic ? Math.log10(1 + value) / Math.log10(1 + max) : value / max;
    return Math.round(share * BAR_WIDTH * 10) / 10;
  };
  const left = Math.max(LEFT_MIN, ...bars.map(({ label }) => 24 + label.length * CHARACTER));
  const heading = `${title} (${unit}${isLogarithmic ? ", logarithmic" : ""})`;
  const endOf = ({ note }: Bar, row: number) => left + scale(totals[row] ?? 0) + 6 + note.length * CHARACTER;
  const width = Math.ceil(Math.max(WIDTH_MIN, 32 + heading.length * TITLE_CHARACTER, ...bars.map(endOf)));
  const legend = names.map((name, at) => {
    const [x, y] = [16 + (at % LEGEND_COLUMNS) * 180, 46 + Math.floor(at / LEGEND_COLUMNS) * 20];
    return `<rect x="${x}" y="${y}" width="12" height="12" fill="${colorOf(names, name)}"/><text x="${x + 18}" y="${y + 10}" class="small">${escapeText(name)}</text>`;
  });
  const rows = bars.map(({ label, parts, note }, row) => {
    const y = top + row * ROW;
    let before = 0;
    const drawn = parts.map(({ value, name }) => {
      const x = scale(before);
      before += value;
      const width = Math.max(0.5, scale(before) - x);
      return `<rect x="${left + x}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${colorOf(names, name)}"/>`;
    });
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escapeText(label)}</text>${drawn.join("")}<text x="${left + scale(before) + 6}" y="${y + 13}" class="small">${escapeText(note)}</text>`;
  });
  const line =
    limit === undefined
      ? ""
      : // Before the bars and the notes, which lie over it.
        `<line x1="${left + scale(limit.value)}" y1="${top - 8}" x2="${left + scale(limit.value)}" y2="${height - 10}" stroke="#c0392b" stroke-dasharray="4 3"/><text x="${left + scale(limit.value)}" y="${top - 14}" text-anchor="middle" class="small limit">${escapeText(limit.name)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">
<style>text{font:13px system-ui,sans-serif;fill:#57606a}.small{font-size:12px}.limit{fill:#c0392b}.title{font-size:15px;font-weight:600}</style>
<text x="16" y="26" class="title">${escapeText(heading)}</text>
${[...legend, line, ...rows].join("\n")}
</svg>
`;
}

const WIDTH_MIN = 760;
/** Of a note's font, on average and generously: text that is cut off says something else. */
const CHARACTER = 7;
const TITLE_CHARACTER = 8.5;
const LEFT_MIN = 210;
const BAR_WIDTH = 400;
const ROW = 28;
const LEGEND_COLUMNS = 4;

const COLORS = [
  "#2a6fbb",
  "#6aa84f",
  "#e69138",
  "#8e63b8",
  "#45a5a5",
  "#c27ba0",
  "#b8a038",
  "#7f8c8d",
  "#a05a3c",
  "#9fc5e8",
  "#38761d",
];

function colorOf(names: readonly string[], name: string): string {
  return COLORS[Math.max(0, names.indexOf(name)) % COLORS.length] ?? "#2a6fbb";
}
