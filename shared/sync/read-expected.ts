import type { CurrentSource } from "../source/read-current.ts";
import type { SyncDependencies, SyncRequest } from "./sync-source.ts";

/**
 * Reads AWSCURRENT; when the event named another version, reads again for a moment, then believes the read.
 *
 * Either the read lags behind the event (Secrets Manager is eventually consistent), or the event is older than the
 * read (events come late and out of order). Waiting longer would not tell which.
 */
export async function readExpected(
  deps: Pick<SyncDependencies, "readCurrent" | "wait">,
  request: Pick<SyncRequest, "source" | "budget" | "expectedVersionId">,
): Promise<CurrentSource> {
  let current = await deps.readCurrent(request.source, request.budget);
  for (const pauseMs of REREAD_PAUSES_MS) {
    if (request.expectedVersionId === undefined || current.versionId === request.expectedVersionId) break;
    if (pauseMs >= request.budget.remainingMs()) break;
    await deps.wait(pauseMs, request.budget.signal);
    current = await deps.readCurrent(request.source, request.budget);
  }
  return current;
}

const REREAD_PAUSES_MS = [100, 200, 400];
