import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import type { VersionId } from "../source/secret-id.ts";

/**
 * An annotation on the Secret: the version that last changed its data, and when. It is applied together with the data,
 * so a crash between write and restarts cannot lose it: a retry that finds the Secret unchanged reads it again.
 */
export type PendingRestart = {
  readonly versionId: VersionId;
  /** By the relay's clock, ms since the epoch. */
  readonly changedAt: number;
  /** When AWSCURRENT moved, by the event, ms since the epoch; absent if its event did not arrive. */
  readonly movedAt?: number;
  /** The Secret did not exist before. A workload without a recorded version is assumed to have started with this one. */
  readonly isFirst: boolean;
  /**
   * Set if the Secret has no annotation: then no restart is due, and only the version is recorded on its readers. Holds
   * the Secret's resourceVersion at that time.
   */
  readonly impliedBy?: string;
};

export function printPendingRestart({ versionId, changedAt, movedAt, isFirst }: PendingRestart): string {
  const moved = movedAt === undefined ? [] : [`${MOVED}${new Date(movedAt).toISOString()}`];
  return [versionId, new Date(changedAt).toISOString(), ...moved, ...(isFirst ? [FIRST] : [])].join(" ");
}

/**
 * Reads the annotation. Without one, the relay took over the Secret with unchanged data, or the binding had no `restart`
 * when the relay wrote it.
 */
export function pendingRestartOn(
  secret: LiveMetadata,
  versionId: VersionId,
  { annotations }: Pick<RelayMetadata, "annotations">,
): PendingRestart | undefined {
  const text = secret.annotations[annotations.readersDue];
  if (text !== undefined) return parsePendingRestart(text);
  // Nothing changed, so every workload counts as older.
  return { versionId, changedAt: Number.POSITIVE_INFINITY, isFirst: true, impliedBy: secret.resourceVersion };
}

/** Whether the Secret still has this pending restart. */
export function carriesPendingRestart(
  { annotations, resourceVersion }: LiveMetadata,
  pending: PendingRestart,
  { annotations: names }: Pick<RelayMetadata, "annotations">,
): boolean {
  return pending.impliedBy === undefined
    ? annotations[names.readersDue] === printPendingRestart(pending)
    : resourceVersion === pending.impliedBy;
}

/** Undefined when the text was not written by the relay. */
export function parsePendingRestart(text: string | undefined): PendingRestart | undefined {
  const [version, time = "", ...words] = (text ?? "").split(" ");
  const versionId = parseVersionId(version);
  const changedAt = Date.parse(time);
  const moved = words[0]?.startsWith(MOVED)
    ? Date.parse(words.shift()?.slice(MOVED.length) ?? "")
    : undefined;
  const [first, ...rest] = words;
  const isMalformed = rest.length > 0 || (first !== undefined && first !== FIRST);
  if (versionId === undefined || Number.isNaN(changedAt) || Number.isNaN(moved) || isMalformed)
    return undefined;
  return { versionId, changedAt, ...(moved !== undefined && { movedAt: moved }), isFirst: first === FIRST };
}

const MOVED = "moved=";
const FIRST = "first";
