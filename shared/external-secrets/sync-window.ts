import type { SyncWindows } from "./objects.ts";

/**
 * Whether ESO's sync windows forbid a periodic refresh at that time. Undefined for an unsupported schedule, such as
 * `@every`, which counts from a start time that only ESO knows.
 */
export function isSyncWindowClosed({ kind, windows }: SyncWindows, now: number): boolean | undefined {
  let isUnknown = false;
  for (const { schedule, durationMs } of windows) {
    const parsed = parseSchedule(schedule);
    if (parsed === undefined) isUnknown = true;
    else if (isWithin(parsed, durationMs, now)) return kind === "deny";
  }
  return isUnknown ? undefined : kind === "allow";
}

/** The times at which windows start; hours and minutes with the latest first. */
type Schedule = {
  readonly isDay: (date: Date) => boolean;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
};

/** Whether the latest window that started before now is still open. */
function isWithin(schedule: Schedule, durationMs: number, now: number): boolean {
  const startedAt = findLatestStart(schedule, now);
  return startedAt !== undefined && startedAt > now - Math.min(durationMs, LOOK_BACK_MS_MAX);
}

function findLatestStart({ isDay, hours, minutes }: Schedule, now: number): number | undefined {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  for (let day = today; day >= today - LOOK_BACK_MS_MAX; day -= DAY_MS) {
    if (!isDay(new Date(day))) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        const at = day + hour * HOUR_MS + minute * MINUTE_MS;
        if (at <= now) return at;
      }
    }
  }
  return undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Longer windows than four weeks are cut. */
const LOOK_BACK_MS_MAX = 28 * DAY_MS;

/** Five cron fields in UTC, or a name such as `@daily`. */
function parseSchedule(schedule: string): Schedule | undefined {
  if (schedule.length > LENGTH_MAX) return undefined;
  const fields = (NAMED[schedule] ?? schedule).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const sets = fields.map((field, index) => parseField(field, RANGES[index] ?? [0, 0, []]));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  const isAnyDay = /^[*?]/.test(fields[2] ?? "");
  const isAnyWeekday = /^[*?]/.test(fields[4] ?? "");
  const isDay = (date: Date): boolean => {
    if (!months.has(date.getUTCMonth() + 1)) return false;
    const isOfMonth = days.has(date.getUTCDate());
    const isOfWeek = weekdays.has(date.getUTCDay());
    // As in cron: if both fields are restricted, one match is enough.
    return isAnyDay || isAnyWeekday ? isOfMonth && isOfWeek : isOfMonth || isOfWeek;
  };
  const latestFirst = (set: ReadonlySet<number>) => [...set].sort((one, other) => other - one);
  return { isDay, hours: latestFirst(hours), minutes: latestFirst(minutes) };
}

const LENGTH_MAX = 500;

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
