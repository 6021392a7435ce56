import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";

/** From here on two writers fight, and a sweep every five minutes would go on for ever. */
const TAKE_BACKS_MAX = 3;
const WINDOW_MS = 3_600_000;

/** When the relay took the Secret back within the last hour, ms since the epoch; the newest few. */
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

export function isContested(live: LiveMetadata, marks: RelayMetadata, now: number): boolean {
  return recentTakeBacks(live, marks, now).length >= TAKE_BACKS_MAX;
}

/** The annotation after a write; undefined when there is nothing to remember. */
export function printTakeBacks(times: readonly number[]): string | undefined {
  const newest = times.slice(-TAKE_BACKS_MAX);
  return newest.length === 0 ? undefined : newest.map((at) => new Date(at).toISOString()).join(" ");
}

/** Three ISO times with spaces between, and more than that is not the relay's. */
const TEXT_LENGTH_MAX = 200;
