/** `90_000` as "1 min 30 s": two units at most, since nobody acts on the third. */
export function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, "")} s`;
  const units = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ] as const;
  const seconds = Math.round(ms / 1_000);
  const first = units.findIndex(([, size]) => seconds >= size);
  let rest = seconds;
  return units
    .slice(first, first + 2)
    .flatMap(([name, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count > 0 ? [`${count} ${name}`] : [];
    })
    .join(" ");
}

/** `12345` as "12,345". */
export const countOf = (count: number): string => count.toLocaleString("en-GB");

export const countOfThings = (count: number, thing: string): string =>
  `${countOf(count)} ${thing}${count === 1 ? "" : "s"}`;

/** An instant, to the second, in UTC: a report is read by people in several places. */
export function instantOf(at: number): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${date.toISOString().slice(11, 19)} UTC`;
}

/** Of a share, with as many decimals as it takes not to say that everything is well when it is not. */
export function percentOf(part: number, whole: number): string {
  if (whole === 0 || part === whole) return "100%";
  const percent = (100 * part) / whole;
  const decimals = percent > 99.9 ? 2 : percent > 90 ? 1 : 0;
  const factor = 10 ** decimals;
  return `${Math.floor(percent * factor) / factor}%`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
