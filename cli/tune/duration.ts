/** `30s`, `5m`, `1h30m`, `7d` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)/gy)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}

/** As one writes it on a command line: `90s` is `1m30s`. Parts of a second go, once it is longer than that. */
export function printDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  let left = Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s"]) {
    const size = UNITS[unit] ?? 1;
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count}${unit}`);
    left -= count * size;
  }
  return parts.join("");
}

/** In words for a table: two or three digits, and the unit that fits. */
export function roughDuration(ms: number): string {
  const [unit, size] = SCALE.find(([, each]) => ms >= each) ?? ["ms", 1];
  const count = ms / size;
  return `${count >= 100 || Number.isInteger(count) ? Math.round(count) : Number(count.toPrecision(2))} ${unit}`;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const SCALE: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];
