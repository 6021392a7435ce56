import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { connectClusters } from "../../shared/cluster/connect-clusters.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { anIdentity } from "../cluster/factories.ts";
import type { HostileServer } from "./hostile-server.ts";

/** The relay's connection to a server that stands where a cluster's API server should, with a token that is real. */
export function connectTo(
  server: Pick<HostileServer, "url" | "certificateAuthorityData">,
): ClusterConnection {
  const { url: endpoint, certificateAuthorityData } = server;
  const main = { name: "prod", region: "eu-west-1", endpoint, certificateAuthorityData };
  const refuse = () => Promise.reject(new Error("Nothing is looked up here"));
  const connect = connectClusters(
    { main },
    {
      ownCredentials: async () => anIdentity(),
      assumeRole: refuse,
      describeCluster: refuse,
      now: Date.now,
      tokenLifeMs: 600_000,
      fips: false,
      connectionsMax: 4,
      onTokenMinted: () => {},
    },
  );
  return connect("main");
}

/** Time for one attempt, so a slow response ends with it. */
export const shortBudget = (ms = 400): TimeBudget => ({ ...startTimeBudget(ms), remainingMs: () => 0 });

export const DB = { namespace: "app", name: "db" };

export const secret = (more: object = {}, metadata: object = {}) => ({
  kind: "Secret",
  apiVersion: "v1",
  metadata: { ...DB, uid: "uid-1", resourceVersion: "7", ...metadata },
  type: "Opaque",
  data: { password: Buffer.from("hunter2").toString("base64") },
  ...more,
});

export const row = (name: string, metadata: object = {}) => ({
  cells: [name, "Opaque", 1, "1m"],
  object: { metadata: { namespace: "app", name, uid: `uid-${name}`, resourceVersion: "7", ...metadata } },
});

export const table = (rows: readonly unknown[], metadata: object = {}) => ({
  kind: "Table",
  apiVersion: "meta.k8s.io/v1",
  metadata,
  columnDefinitions: [{ name: "Name" }, { name: "Type" }, { name: "Data" }, { name: "Age" }],
  rows,
});

export const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  );
