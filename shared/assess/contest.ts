import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";

/** After that, another writer keeps overwriting the Secret, and sweeps would never stop restoring it. */
const TAKE_BACKS_MAX = 3;
const WINDOW_MS = 3_600_000;

/** The latest times, within the last hour, at which the relay took the Secret back; ms since the epoch. */
export function recentTakeBacks(
  live: Pick<LiveMetadata, "annotations"> | undefined,
  { annotations }: RelayMetadata,
  now: number,
): readonly number[] {
  const text = live?.annotations[annotations.takeBacks] ?? "";
  return text
    .slice(0, TEXT_LENGTH_MAX)
    .split(" ")
    .map((time) => Date.parse(time))
    .filter((at) => at > now - WINDOW_MS && at <= now)
    .slice(-TAKE_BACKS_MAX);
}

export function isContested(live: LiveMetadata, ownMetadata: RelayMetadata, now: number): boolean {
  return recentTakeBacks(live, ownMetadata, now).length >= TAKE_BACKS_MAX;
}

/** The annotation; undefined without any times. */
export function printTakeBacks(times: readonly number[]): string | undefined {
  const newest = times.slice(-TAKE_BACKS_MAX);
  return newest.length === 0 ? undefined : newest.map((at) => new Date(at).toISOString()).join(" ");
}

/** More than three ISO times with spaces. */
const TEXT_LENGTH_MAX = 200;
