import { expect, it } from "vitest";
import { withCallerErrors } from "../../cli/live/with-caller-errors.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { aCluster } from "../cluster/factories.ts";

const budget: TimeBudget = { signal: new AbortController().signal, remainingMs: () => 60_000 };

const failureOfList = (error: Error): Promise<unknown> => {
  const connection = { listMetadata: () => Promise.reject(error) } as unknown as ClusterConnection;
  const options = { clusterKey: "main", cluster: aCluster(), as: "an operator" };
  return withCallerErrors(connection, options)
    .listMetadata("app", "a=b", budget)
    .catch((failure: unknown) => failure);
};

it("a list that is too large remains so for a sweep from the command line, which then reads one by one", async () => {
  expect(await failureOfList(new ClusterAnswerTooLarge("main"))).toBeInstanceOf(ClusterAnswerTooLarge);
});

it("a cluster that cannot be reached is reported with advice for this machine", async () => {
  expect(await failureOfList(new ClusterUnavailable("main", "ECONNREFUSED"))).toMatchObject({
    message: expect.stringContaining("this machine"),
  });
});
