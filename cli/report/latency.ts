import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { LatencyPoint } from "./measured.ts";

/**
 * The latency of new versions, from consecutive inventories: if the version of a target differs from the previous one,
 * the target was written at the time in its annotation. The latency begins at the last change of the source in Secrets
 * Manager, so it is too long for a target that was written again for another reason.
 */
export function latencyBetween(sweeps: readonly SweepReport[]): LatencyPoint[] {
  const versions = new Map<string, string | undefined>();
  return sweeps.flatMap(({ startedAt, targets }): LatencyPoint[] => {
    const spans = targets
      .filter(({ finding, action }) => finding === null && action === "none")
      .flatMap((entry) => {
        const known = versions.get(nameOfTarget(entry));
        versions.set(nameOfTarget(entry), entry.versionId);
        const span = Date.parse(entry.writtenAt ?? "") - Date.parse(entry.sourceChangedAt ?? "");
        return known !== undefined && known !== entry.versionId && span >= 0 ? [span] : [];
      })
      .sort((a, b) => a - b);
    if (spans.length === 0) return [];
    const quantile = (share: number) => spans[Math.ceil(share * spans.length) - 1] ?? 0;
    return [{ at: Date.parse(startedAt), p50: quantile(0.5), p99: quantile(0.99), slowest: quantile(1) }];
  });
}
