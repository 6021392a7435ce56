/** `12345` as "12,345". */
export const countOf = (count: number): string => Math.round(count).toLocaleString("en");

export const plural = (count: number, noun: string): string =>
  `${countOf(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Cents up to $1,000, whole dollars above. */
export function dollars(usd: number): string {
  if (usd > 0 && usd < 0.005) return "under $0.01";
  const digits = usd >= 1_000 ? 0 : 2;
  return `$${usd.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return "0 %";
  if (value < 0.01) return "<0.01 %";
  return `${value.toLocaleString("en", { maximumSignificantDigits: value >= 100 ? 4 : 2 })} %`;
}

/** Rounded down, with enough decimals that only a complete part is 100%. */
export function percentOf(part: number, whole: number): string {
  if (whole === 0 || part === whole) return "100%";
  const value = (100 * part) / whole;
  const factor = 10 ** (value > 99.9 ? 2 : value > 90 ? 1 : 0);
  return `${Math.floor(value * factor) / factor}%`;
}

/** An age as kubectl prints it: `41s`, `12m`, `5h`, `3d`. */
export function printAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3_600 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** As an option takes it: 90 seconds are `1m30s`. Fractions of a second are dropped above one second. */
export function printDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  return split(ms)
    .map(([count, unit]) => (count > 0 ? `${count}${unit.charAt(0)}` : ""))
    .join("");
}

/** `90_000` as "1 min 30 s", with two units at most. */
export function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, "")} s`;
  const parts = split(ms);
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map((part) => part.join(" "))
    .join(" ");
}

/** For a table: two or three digits, and one unit. */
export function roughDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each) ?? ["ms", 1];
  const count = ms / size;
  return `${count >= 100 || Number.isInteger(count) ? Math.round(count) : Number(count.toPrecision(2))} ${unit}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

function split(ms: number): (readonly [count: number, unit: string])[] {
  let rest = Math.round(ms / 1_000) * 1_000;
  return UNITS.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return [count, unit];
  });
}

/** A time in UTC, since a report has readers in several time zones. */
export function instantOf(at: number): string {
  const [, day, month, year, time] = new Date(at).toUTCString().split(" ");
  return `${Number(day)} ${month} ${year}, ${time} UTC`;
}

/** The start of a VersionId, enough to distinguish versions. */
export const shortVersion = (versionId: string): string =>
  versionId.length > 8 ? `${versionId.slice(0, 8)}…` : versionId;
