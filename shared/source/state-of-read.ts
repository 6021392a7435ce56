import { RelayError } from "../relay-error.ts";
import { SourceNotFound, SourceScheduledForDeletion } from "./errors.ts";
import type { SourceAt } from "./secret-id.ts";
import type { SourceRead } from "./source.ts";
import type { SourceState } from "./source-state.ts";

/** The state that a read showed. "Not found" has several reasons, and only DescribeSecret distinguishes them. */
export async function stateOfRead(
  source: SourceAt,
  read: SourceRead,
  describe?: () => Promise<SourceState>,
): Promise<SourceState> {
  if (!(read instanceof RelayError)) {
    const { versionId, isDeprecated } = read;
    return { kind: "current", versionId, ...(isDeprecated && { isDeprecated }) };
  }
  if (read instanceof SourceScheduledForDeletion) return { kind: "scheduled-for-deletion" };
  const { code, message: advice, retryable } = read;
  const unknown: SourceState = { kind: "unknown", code, advice, retryable };
  if (!(read instanceof SourceNotFound)) return unknown;
  const isOneVersion = source.stage !== undefined || source.versionId !== undefined;
  if (describe === undefined) return { kind: isOneVersion ? "version-missing" : "missing" };
  const state = await describe();
  if (state.kind === "unknown") return unknown;
  if (state.kind !== "current") return state;
  // The secret exists, but the requested version could not be read.
  return isOneVersion ? { kind: "version-missing" } : { kind: "unknown", code, advice, retryable: true };
}
