import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { SourceAt, VersionId } from "../source/secret-id.ts";
import type { CurrentSource, ReadCurrent } from "../source/source.ts";

export type ReadDependencies = { readonly readCurrent: ReadCurrent; readonly wait: Wait };

/**
 * Reads a source; when the event named another version, reads again for a moment, then believes the read.
 *
 * Either the read lags behind the event (Secrets Manager is eventually consistent), or the event is older than the
 * read (events come late and out of order). Waiting longer would not tell which.
 */
export async function readExpected(
  deps: ReadDependencies,
  budget: TimeBudget,
  source: SourceAt,
  expectedVersionId: VersionId | undefined,
): Promise<CurrentSource> {
  let current = await deps.readCurrent(source, budget);
  for (const pauseMs of REREAD_PAUSES_MS) {
    if (expectedVersionId === undefined || current.versionId === expectedVersionId) break;
    if (pauseMs >= budget.remainingMs()) break;
    await deps.wait(pauseMs, budget.signal);
    current = await deps.readCurrent(source, budget);
  }
  return current;
}

const REREAD_PAUSES_MS = [100, 200, 400];
