import type { LiveMetadata } from "../cluster/live-secret.ts";
import type { RelayMarks } from "../identity/relay-identity.ts";
import { parseVersionId } from "../secret-id/parse-version-id.ts";
import type { VersionId } from "../secret-id/secret-id.ts";

/**
 * What the Secret says to those who look after its readers: the version that last changed its data, and when. It is
 * applied together with the data, so it can't be lost between the write and the restarts; a repeat that finds the
 * Secret unchanged reads here whether a restart is still due.
 */
export type Notice = {
  readonly versionId: VersionId;
  /** By our clock, ms since the epoch. */
  readonly changedAt: number;
  /**
   * The Secret was absent before. A workload without a record of another version is taken to have started with this
   * one.
   */
  readonly isFirst: boolean;
  /**
   * The Secret carries no notice, so no restart is due: only the version that its readers run with is recorded. This is
   * the resourceVersion that the Secret had then.
   */
  readonly impliedBy?: string;
};

export function printNotice({ versionId, changedAt, isFirst }: Notice): string {
  return [versionId, new Date(changedAt).toISOString(), ...(isFirst ? [FIRST] : [])].join(" ");
}

/**
 * The notice on a Secret. Without one, what its version implies: the relay took the Secret over with the data that it
 * had, or the binding had no `restart` when the relay wrote it.
 */
export function noticeOn(
  secret: LiveMetadata,
  versionId: VersionId,
  { annotations }: Pick<RelayMarks, "annotations">,
): Notice | undefined {
  const text = secret.annotations[annotations.readersDue];
  if (text !== undefined) return parseNotice(text);
  // Nothing changed, so no workload is younger than the change.
  return { versionId, changedAt: Number.POSITIVE_INFINITY, isFirst: true, impliedBy: secret.resourceVersion };
}

/** Whether the Secret still says so. */
export function carriesNotice(
  { annotations, resourceVersion }: LiveMetadata,
  notice: Notice,
  { annotations: names }: Pick<RelayMarks, "annotations">,
): boolean {
  return notice.impliedBy === undefined
    ? annotations[names.readersDue] === printNotice(notice)
    : resourceVersion === notice.impliedBy;
}

/** Undefined when the text is not a notice of the relay. */
export function parseNotice(text: string | undefined): Notice | undefined {
  const [version, time = "", first, ...rest] = (text ?? "").split(" ");
  const versionId = parseVersionId(version);
  const changedAt = Date.parse(time);
  const isForeign = rest.length > 0 || (first !== undefined && first !== FIRST);
  if (versionId === undefined || Number.isNaN(changedAt) || isForeign) return undefined;
  return { versionId, changedAt, isFirst: first === FIRST };
}

const FIRST = "first";
