import type { SyncWindows } from "./objects.ts";

/**
 * Whether ESO's sync windows forbid a periodic refresh at that time. Undefined for an unsupported schedule, such as
 * `@every`, which counts from a start time that only ESO knows.
 */
export function isSyncWindowClosed({ kind, windows }: SyncWindows, now: number): boolean | undefined {
  let isUnknown = false;
  for (const { schedule, durationMs } of windows) {
    const fires = parseSchedule(schedule);
    if (fires === undefined) isUnknown = true;
    else if (isWithin(fires, durationMs, now)) return kind === "deny";
  }
  return isUnknown ? undefined : kind === "allow";
}

type Fires = (at: Date) => boolean;

/** Searches back, minute by minute, for the start of a window that is still open. */
function isWithin(fires: Fires, durationMs: number, now: number): boolean {
  const latest = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const earliest = now - Math.min(durationMs, LOOK_BACK_MS_MAX);
  for (let at = latest; at > earliest; at -= MINUTE_MS) if (fires(new Date(at))) return true;
  return false;
}

const MINUTE_MS = 60_000;
/** 40,000 checks of a fraction of a microsecond each; longer windows than four weeks are cut. */
const LOOK_BACK_MS_MAX = 28 * 24 * 60 * MINUTE_MS;

/** Five cron fields in UTC, or a name such as `@daily`. */
function parseSchedule(schedule: string): Fires | undefined {
  const fields = (NAMED[schedule] ?? schedule).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const sets = fields.map((field, index) => parseField(field, RANGES[index] ?? [0, 0, []]));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  const isAnyDay = /^[*?]/.test(fields[2] ?? "");
  const isAnyWeekday = /^[*?]/.test(fields[4] ?? "");
  return (at) => {
    if (!minutes.has(at.getUTCMinutes()) || !hours.has(at.getUTCHours())) return false;
    if (!months.has(at.getUTCMonth() + 1)) return false;
    const isDay = days.has(at.getUTCDate());
    const isWeekday = weekdays.has(at.getUTCDay());
    // As in cron: if both fields are restricted, one match is enough.
    return isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday;
  };
}

const NAMED: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

type Range = readonly [min: number, max: number, names: readonly string[]];

const MONTHS = ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const RANGES: readonly Range[] = [
  [0, 59, []],
  [0, 23, []],
  [1, 31, []],
  [1, 12, MONTHS],
  [0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]],
];

function parseField(field: string, [min, max, names]: Range): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [, range = "", step] = /^([^/]+)(?:\/([1-9][0-9]?))?$/.exec(part) ?? [];
    const [from = "", to] = range.split("-");
    const isAny = range === "*" || range === "?";
    const first = isAny ? min : numberOf(from, names);
    const last = isAny || (to === undefined && step !== undefined) ? max : numberOf(to ?? from, names);
    if (first === undefined || last === undefined || first < min || last > max || first > last)
      return undefined;
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

function numberOf(text: string, names: readonly string[]): number | undefined {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text);
  const index = names.indexOf(text.toLowerCase());
  return index < 0 || text === "" ? undefined : index;
}
