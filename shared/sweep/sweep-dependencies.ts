import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { Source } from "../source/source.ts";
import type { SyncDependencies } from "../sync/sync-source.ts";
import type { CallCounts } from "./report.ts";

export type SweepDependencies = Omit<SyncDependencies, "connect"> & {
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly source: Pick<Source, "describe" | "listStates" | "readMany">;
  /** Concurrent requests to one cluster. */
  readonly targetsAtOnce: number;
  /** The calls since the function started; a report holds the difference. */
  readonly calls: () => CallCounts;
};
