import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { annotatedVersions } from "../render/data-version.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { SourceUnavailable } from "../source/errors.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { SourceAt, VersionId } from "../source/secret-id.ts";
import type { CurrentSource } from "../source/source.ts";
import { type ReadDependencies, readExpected } from "./read-expected.ts";

/** The clock decides whether the last write is so fresh that a read must be confirmed. */
type ReadSourcesDependencies = ReadDependencies & { readonly now: () => number };

export type ReadSourcesRequest = {
  readonly marks: RelayMetadata;
  readonly budget: TimeBudget;
  /**
   * The versions that an event, or a sweep, says are current, by the key of their source: a reason to read again when
   * the read says otherwise.
   */
  readonly expectedVersionIds?: ReadonlyMap<string, VersionId>;
};

/** A binding, and its target as it was read before its sources are. */
export type SourceObservation = { readonly binding: Binding; readonly live: LiveSecret | undefined };

/** What was read of each source, by its key; or why it could not be. */
export type SourceReads = ReadonlyMap<string, CurrentSource | RelayError>;

/** Every source of these bindings, each once, and read again where its answer is suspect. */
export async function readSources(
  deps: ReadSourcesDependencies,
  request: ReadSourcesRequest,
  seen: readonly SourceObservation[],
): Promise<SourceReads> {
  const users = new Map<string, { source: SourceAt; recorded: Recorded[] }>();
  for (const { binding, live } of seen) {
    const versions = live && annotatedVersions(live.annotations, binding.sources.length, request.marks);
    for (const [index, source] of binding.sources.entries()) {
      const key = keyOfSource(source);
      const user = users.get(key) ?? { source, recorded: [] };
      users.set(key, user);
      if (live !== undefined) user.recorded.push(recordedOf(live, versions?.[index], request.marks));
    }
  }
  const reads = [...users].map(
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

/** Those of one binding, in its order. */
export function readsOf({ sources }: Binding, reads: SourceReads): readonly (CurrentSource | RelayError)[] {
  return sources.map((source) => {
    const read = reads.get(keyOfSource(source));
    if (read === undefined) throw new TypeError("Every source of a binding is read before it is rendered");
    return read;
  });
}

/** Which version of the source a live Secret was made from, and when. */
type Recorded = { readonly versionId: string | undefined; readonly writtenAt: number };

function recordedOf(
  { annotations }: LiveSecret,
  versionId: string | undefined,
  { annotations: names }: RelayMetadata,
): Recorded {
  return {
    // Made from other sources than today's: whatever is read replaces it.
    versionId: versionId ?? annotations[names.versionId],
    writtenAt: Date.parse(annotations[names.writtenAt] ?? ""),
  };
}

/**
 * A source, read again where the answer is suspect.
 *
 * Secrets Manager is eventually consistent: a replica that lags may name the version before. If the answer would
 * replace what we wrote less than a minute ago, one more read must agree with it; where none does, nothing is believed,
 * and Lambda's repeat comes when the replicas have settled. A pinned version is the same in every answer.
 */
async function readConfirmed(
  deps: ReadSourcesDependencies,
  request: ReadSourcesRequest,
  source: SourceAt,
  recorded: readonly Recorded[],
): Promise<CurrentSource> {
  let current = await readExpected(
    deps,
    request.budget,
    source,
    request.expectedVersionIds?.get(keyOfSource(source)),
  );
  if (source.versionId !== undefined) return current;
  const isSuspect = (versionId: VersionId) =>
    recorded.some((each) => replacesFreshWrite(each, versionId, deps.now()));
  for (let confirmations = 0; confirmations < CONFIRMATIONS_MAX; confirmations += 1) {
    const { versionId } = current;
    if (!isSuspect(versionId)) return current;
    await deps.wait(CONFIRM_AFTER_MS, request.budget.signal);
    current = await deps.readCurrent(source, request.budget);
    if (current.versionId === versionId) return current;
  }
  if (!isSuspect(current.versionId)) return current;
  throw new SourceUnavailable(source.id, "its answers change from read to read");
}

function replacesFreshWrite(recorded: Recorded, versionId: VersionId, now: number): boolean {
  if (recorded.versionId === undefined || recorded.versionId === versionId) return false;
  return now - recorded.writtenAt < FRESH_WRITE_MS;
}

/** A read that would replace a younger write of ours must be confirmed; Secrets Manager settles within seconds. */
const FRESH_WRITE_MS = 60_000;
const CONFIRM_AFTER_MS = 50;
const CONFIRMATIONS_MAX = 3;
