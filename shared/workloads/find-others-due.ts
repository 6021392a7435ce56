import type { TargetRef, WorkloadRef } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { parsePendingRestart } from "./pending-restart.ts";
import { recordedVersions, type SecretVersion } from "./restart-annotations.ts";
import type { RawObject, ReaderCluster } from "./workload.ts";

/**
 * The other Secrets that a restart of the workload serves: those with a version on record whose data has changed since.
 * Their new value is already written, so the new pods read it.
 *
 * Call it after the read of the workload, and patch with the workload's resourceVersion. A Secret that is written after
 * this read has another version than the recorded one, so it causes its own restart.
 */
export async function findOthersDue(
  cluster: Pick<ReaderCluster, "readMetadata">,
  { target, ownMetadata, budget }: Reading,
  { ref, workload }: { readonly ref: WorkloadRef; readonly workload: RawObject },
): Promise<readonly SecretVersion[]> {
  const recorded = [...recordedVersions(ref.kind, workload)].filter(([name]) => name !== target.name);
  const found = await Promise.all(
    recorded.slice(0, OTHERS_MAX).map(async ([secretName, version]): Promise<SecretVersion[]> => {
      try {
        const live = await cluster.readMetadata({ ...target, name: secretName }, budget);
        const pending = parsePendingRestart(live?.annotations[ownMetadata.annotations.readersDue]);
        const isDue = pending !== undefined && pending.versionId !== version;
        return isDue ? [{ secretName, versionId: pending.versionId }] : [];
      } catch {
        return []; // it restarts the workload itself, if it is due
      }
    }),
  );
  return found.flat();
}

type Reading = {
  readonly target: TargetRef;
  readonly ownMetadata: RelayMetadata;
  readonly budget: TimeBudget;
};

/** One read for each; annotations may be forged. */
const OTHERS_MAX = 20;
