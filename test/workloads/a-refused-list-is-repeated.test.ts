import { expect, it } from "vitest";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { type PendingRestart, printPendingRestart } from "../../shared/workloads/pending-restart.ts";
import { restartWorkloads } from "../../shared/workloads/restart-workloads.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const NOW = Date.parse("2026-11-24T10:00:00.000Z");
const pending: PendingRestart = { versionId: "v2" as VersionId, changedAt: NOW, isFirst: false };
const API = {
  metadata: { name: "api" },
  spec: { template: { spec: { containers: [{ envFrom: [{ secretRef: { name: "db" } }] }] } } },
};

/** A cluster with one Deployment, which refuses the first lists of each kind. */
async function restartAll(refusals: number) {
  const lists = new Map<string, number>();
  const outcomes = await restartWorkloads(
    {
      cluster: {
        callObject: async ({ method, path }: ObjectCall) => {
          const resource = path.split("/").at(-1) ?? "";
          if (method === "PATCH" || resource === "api") return API;
          lists.set(resource, (lists.get(resource) ?? 0) + 1);
          if ((lists.get(resource) ?? 0) <= refusals) throw new ClusterForbidden("main", "list", path);
          return { items: resource === "deployments" ? [API] : [] };
        },
        readMetadata: async () => {
          const { readersDue } = RELAY_METADATA.annotations;
          return { annotations: { [readersDue]: printPendingRestart(pending) } } as unknown as LiveMetadata;
        },
      },
      now: () => NOW,
      wait: async () => {},
      rolloutDeadlineMs: 1_800_000,
    },
    {
      target: { cluster: "main", namespace: "shop", name: "db" },
      rule: { workloads: "auto", delaySeconds: 0, order: "together", minimumIntervalSeconds: 0 },
      pending,
      plan: false,
      ownMetadata: RELAY_METADATA,
      budget: { signal: new AbortController().signal, remainingMs: () => 60_000 },
    },
  );
  return { outcomes, lists: Object.fromEntries(lists) };
}

it("an API server that has just started refuses every list, and the repeat finds the workloads", async () => {
  const { outcomes, lists } = await restartAll(1);

  expect(outcomes).toEqual([{ workload: "Deployment/api", outcome: "restarted" }]);
  // Most clusters have no Rollouts, and no permission to list them.
  expect(lists).toEqual({ deployments: 2, statefulsets: 2, daemonsets: 2, rollouts: 1 });
});

it("a refusal that stays is reported for each kind", async () => {
  const { outcomes } = await restartAll(2);

  expect(outcomes).toMatchObject(
    ["Deployment/*", "StatefulSet/*", "DaemonSet/*"].map((workload) => {
      return { workload, outcome: "refused", code: "CLUSTER_FORBIDDEN" };
    }),
  );
});
