import { expect, it } from "vitest";
import { explainRow } from "../../cli/targets/explain-row.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";

const workload = "Deployment/shop";
const pods = { available: 1, desired: 3 };

it.each<{ restart: RestartOutcome; says: RegExp; detail: string }>([
  {
    restart: { workload, outcome: "already", rollout: { state: "progressing", pods } },
    says: /Its workloads are not finished:$/,
    detail: "Deployment/shop: its rollout is progressing, 1 of 3 pods are new and available",
  },
  {
    restart: { workload, outcome: "restarted" },
    says: /Its workloads are not finished:$/,
    detail: "Deployment/shop: its pods are being replaced",
  },
  {
    restart: { workload, outcome: "skipped", code: "WORKLOAD_PAUSED" },
    says: /Its workloads are not finished:$/,
    detail: "Deployment/shop: its restart waits (WORKLOAD_PAUSED)",
  },
])("of a Secret in order: $detail", ({ restart, says, detail }) => {
  const explained = explainRow(rowWith({ restarts: [restart] }), Date.now());

  expect(explained?.says).toMatch(says);
  expect(explained?.details).toEqual([detail]);
});

it("a complete rollout is named beside one that is not", () => {
  const complete = { workload, outcome: "already", rollout: { state: "complete", completedAt: 0 } } as const;
  const waits = { workload: "Deployment/web", outcome: "skipped", code: "WORKLOAD_PAUSED" } as const;

  expect(explainRow(rowWith({ restarts: [complete] }), Date.now())).toBeUndefined();
  expect(explainRow(rowWith({ restarts: [complete, waits] }), Date.now())?.details).toEqual([
    "Deployment/shop: its rollout is complete",
    "Deployment/web: its restart waits (WORKLOAD_PAUSED)",
  ]);
});

it("a Secret in order whose Pods could not be listed says nothing about workloads", () => {
  const explained = explainRow(rowWith({ podsUnknown: "CLUSTER_FORBIDDEN" }), Date.now());

  expect(explained?.says).toBe("The Secret is in order.");
  expect(explained?.details).toEqual(["its Pods could not be listed (CLUSTER_FORBIDDEN)"]);
});

function rowWith(more: Partial<TargetRow>): TargetRow {
  const where = { cluster: "prod", namespace: "shop", name: "db", source: "prod/db" };
  return { ...where, finding: null, action: "none", observed: "metadata", ...more };
}
