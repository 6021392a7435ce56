/** How long ago, as kubectl prints it: `41s`, `12m`, `5h`, `3d`. */
export function printAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3_600 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Enough of a VersionId for a person to tell it from another. */
export const shortVersion = (versionId: string): string =>
  versionId.length > 8 ? `${versionId.slice(0, 8)}…` : versionId;
