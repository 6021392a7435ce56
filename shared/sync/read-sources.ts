import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { annotatedVersions } from "../render/data-version.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { SourceUnavailable } from "../source/errors.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { SourceAt, VersionId } from "../source/secret-id.ts";
import type { CurrentSource, ReadCurrent } from "../source/source.ts";

type ReadSourcesDependencies = {
  readonly readCurrent: ReadCurrent;
  readonly wait: Wait;
  readonly now: () => number;
};

export type ReadSourcesRequest = {
  readonly ownMetadata: RelayMetadata;
  readonly budget: TimeBudget;
  /** The current versions according to an event or a sweep, by source key. If a read differs, it is repeated. */
  readonly expectedVersionIds?: ReadonlyMap<string, VersionId>;
};

/** A binding, and its target as read before its sources. */
export type SourceObservation = { readonly binding: Binding; readonly live: LiveSecret | undefined };

/** The value or the error of each source, by its key. */
export type SourceReads = ReadonlyMap<string, CurrentSource | RelayError>;

/** Reads every source of these bindings once, and again where the response may be outdated. */
export async function readSources(
  deps: ReadSourcesDependencies,
  request: ReadSourcesRequest,
  observations: readonly SourceObservation[],
): Promise<SourceReads> {
  const requests = new Map<string, { source: SourceAt; recorded: Recorded[] }>();
  for (const { binding, live } of observations) {
    const versions = live && annotatedVersions(live.annotations, binding.sources.length, request.ownMetadata);
    for (const [index, source] of binding.sources.entries()) {
      const key = keyOfSource(source);
      const entry = requests.get(key) ?? { source, recorded: [] };
      requests.set(key, entry);
      if (live !== undefined) entry.recorded.push(recordedOf(live, versions?.[index], request.ownMetadata));
    }
  }
  const reads = [...requests].map(
    async ([key, { source, recorded }]): Promise<[string, CurrentSource | RelayError]> => {
      try {
        return [key, await readConfirmed(deps, request, source, recorded)];
      } catch (error) {
        return [key, error instanceof RelayError ? error : UnexpectedFault.from(error)];
      }
    },
  );
  return new Map(await Promise.all(reads));
}

/** The reads of one binding, in its order. */
export function readsOf({ sources }: Binding, reads: SourceReads): readonly (CurrentSource | RelayError)[] {
  return sources.map((source) => {
    const read = reads.get(keyOfSource(source));
    if (read === undefined) throw new TypeError("Every source of a binding is read before it is rendered");
    return read;
  });
}

/** The version of the source in a live Secret, and when it was written. */
type Recorded = { readonly versionId: string | undefined; readonly writtenAt: number };

function recordedOf(
  { annotations }: LiveSecret,
  versionId: string | undefined,
  { annotations: names }: RelayMetadata,
): Recorded {
  return {
    // Without a version per source, the Secret was made from other sources, and any read replaces it.
    versionId: versionId ?? annotations[names.versionId],
    writtenAt: Date.parse(annotations[names.writtenAt] ?? ""),
  };
}

/**
 * Secrets Manager is eventually consistent: a lagging replica may return the previous version. A version that would
 * replace a write of the last minute must be confirmed by one more read. If no two reads agree, the source counts as
 * unavailable, and Lambda retries after the replicas have settled. A pinned version is the same in every read.
 */
async function readConfirmed(
  deps: ReadSourcesDependencies,
  request: ReadSourcesRequest,
  source: SourceAt,
  recorded: readonly Recorded[],
): Promise<CurrentSource> {
  let current = await readExpected(deps, request, source);
  if (source.versionId !== undefined) return current;
  const replacesFreshWrite = (versionId: VersionId) =>
    recorded.some(
      (live) =>
        live.versionId !== undefined &&
        live.versionId !== versionId &&
        deps.now() - live.writtenAt < FRESH_WRITE_MS,
    );
  for (let confirmations = 0; confirmations < CONFIRMATIONS_MAX; confirmations += 1) {
    const { versionId } = current;
    if (!replacesFreshWrite(versionId)) return current;
    await deps.wait(CONFIRM_AFTER_MS, request.budget.signal);
    current = await deps.readCurrent(source, request.budget);
    if (current.versionId === versionId) return current;
  }
  if (!replacesFreshWrite(current.versionId)) return current;
  throw new SourceUnavailable(source.id, "its version changes from read to read");
}

/**
 * If the event named another version, reads again for a moment, then accepts the read: either the read lags behind the
 * event (Secrets Manager is eventually consistent), or the event is the older one (events arrive late and out of order).
 * A longer wait would not show which.
 */
async function readExpected(
  deps: ReadSourcesDependencies,
  { budget, expectedVersionIds }: ReadSourcesRequest,
  source: SourceAt,
): Promise<CurrentSource> {
  const expected = expectedVersionIds?.get(keyOfSource(source));
  let current = await deps.readCurrent(source, budget);
  for (const pauseMs of REREAD_PAUSES_MS) {
    if (expected === undefined || current.versionId === expected) break;
    if (pauseMs >= budget.remainingMs()) break;
    await deps.wait(pauseMs, budget.signal);
    current = await deps.readCurrent(source, budget);
  }
  return current;
}

const REREAD_PAUSES_MS = [100, 200, 400];

/** Secrets Manager settles within seconds. */
const FRESH_WRITE_MS = 60_000;
const CONFIRM_AFTER_MS = 50;
const CONFIRMATIONS_MAX = 3;
