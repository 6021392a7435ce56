import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { ReadMany } from "../source/read-many.ts";
import type { SourceCatalog } from "../source/source-catalog.ts";
import type { SyncDependencies } from "../sync/sync-source.ts";
import type { CallCounts } from "./report.ts";

export type SweepDependencies = Omit<SyncDependencies, "connect"> & {
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly catalog: SourceCatalog;
  readonly readMany: ReadMany;
  /** Requests under way at once, per cluster. */
  readonly targetsAtOnce: number;
  /** Counted since the function started; a report holds the difference. */
  readonly calls: () => CallCounts;
};
