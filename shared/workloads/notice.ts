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
  /** The data is the Secret's first: who reads it had no other, unless it is stamped with one. */
  readonly isFirst: boolean;
};

export const NOTICE_ANNOTATION = "secret-relay/readers-due";

export function printNotice({ versionId, changedAt, isFirst }: Notice): string {
  return [versionId, new Date(changedAt).toISOString(), ...(isFirst ? [FIRST] : [])].join(" ");
}

/** Undefined where there is none, or none of ours: then nobody is told of anything. */
export function parseNotice(text: string | undefined): Notice | undefined {
  const [version, time = "", first, ...rest] = (text ?? "").split(" ");
  const versionId = parseVersionId(version);
  const changedAt = Date.parse(time);
  const isForeign = rest.length > 0 || (first !== undefined && first !== FIRST);
  if (versionId === undefined || Number.isNaN(changedAt) || isForeign) return undefined;
  return { versionId, changedAt, isFirst: first === FIRST };
}

const FIRST = "first";
