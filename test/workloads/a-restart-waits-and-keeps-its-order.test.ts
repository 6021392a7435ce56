import { describe, expect, it } from "vitest";
import type { RestartRule } from "../../shared/bindings/binding.ts";
import { ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { type PendingRestart, printPendingRestart } from "../../shared/workloads/pending-restart.ts";
import { restartedFor } from "../../shared/workloads/restart-annotations.ts";
import { restartWorkloads } from "../../shared/workloads/restart-workloads.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const NOW = Date.parse("2026-11-24T10:00:00.000Z");
const pending: PendingRestart = { versionId: "v2" as VersionId, changedAt: NOW, isFirst: false };

/** A cluster with three Deployments in which some patches fail; it records every step. */
function setUp({
  failing = [] as string[],
  restarted = [] as string[],
  annotation = printPendingRestart(pending),
  request = pending,
} = {}) {
  const happened: string[] = [];
  const run = (rule: Partial<RestartRule>, remainingMs = 60_000) =>
    restartWorkloads(
      {
        cluster: {
          callObject: async ({ method, path }: ObjectCall) => {
            const name = path.split("/").at(-1) ?? "";
            happened.push(`${method} ${name}`);
            if (method === "PATCH" && failing.includes(name))
              throw new ClusterUnavailable("main", "HTTP 500");
            const annotations = restarted.includes(name) ? { [restartedFor("db")]: "v2" } : {};
            return { metadata: { name }, spec: { template: { metadata: { annotations } } } };
          },
          readMetadata: async () =>
            ({
              annotations: { [RELAY_METADATA.annotations.readersDue]: annotation },
            }) as unknown as LiveMetadata,
        },
        now: () => NOW,
        wait: async (ms) => void happened.push(`waits ${ms}`),
        rolloutDeadlineMs: 1_800_000,
      },
      {
        target: { cluster: "main", namespace: "shop", name: "db" },
        rule: {
          workloads: ["a", "b", "c"].map((name) => ({ kind: "Deployment", name })),
          delaySeconds: 0,
          order: "together",
          minimumIntervalSeconds: 0,
          ...rule,
        },
        pending: request,
        plan: false,
        ownMetadata: RELAY_METADATA,
        budget: { signal: new AbortController().signal, remainingMs: () => remainingMs },
      },
    );
  return { happened, run };
}

const outcomesOf = (outcomes: Awaited<ReturnType<typeof restartWorkloads>>) =>
  outcomes.map(({ outcome, code }) => code ?? outcome);

describe("a sequence", () => {
  it("patches each workload only after the previous one", async () => {
    const { happened, run } = setUp();

    await run({ order: "sequence" });

    expect(happened).toEqual(["GET a", "PATCH a", "GET b", "PATCH b", "GET c", "PATCH c"]);
  });

  it("stops at a failed patch, and the rest waits for the retry", async () => {
    const { run } = setUp({ failing: ["b"] });

    expect(outcomesOf(await run({ order: "sequence" }))).toEqual([
      "restarted",
      "CLUSTER_UNAVAILABLE",
      "RESTART_WAITS_FOR_ANOTHER",
    ]);
  });
});

describe("together", () => {
  it("a failed patch does not stop the others", async () => {
    const { run } = setUp({ failing: ["b"] });

    expect(outcomesOf(await run({}))).toEqual(["restarted", "CLUSTER_UNAVAILABLE", "restarted"]);
  });
});

describe("a delay", () => {
  it("passes before the first patch, and the workloads are read again after it", async () => {
    const { happened, run } = setUp();

    await run({ delaySeconds: 5 });

    const waitsAt = happened.indexOf("waits 5000");
    expect(waitsAt).toBe(3);
    expect(happened.slice(0, waitsAt).every((step) => step.startsWith("GET"))).toBe(true);
    expect(happened.filter((step) => step === "GET a")).toHaveLength(2);
  });

  it("is skipped if no restart is due", async () => {
    const { happened, run } = setUp({ restarted: ["a", "b", "c"] });

    expect(outcomesOf(await run({ delaySeconds: 5 }))).toEqual(["already", "already", "already"]);
    expect(happened).not.toContain("waits 5000");
  });

  it("that exceeds the remaining time fails, so that it is retried", async () => {
    const { happened, run } = setUp();

    expect(outcomesOf(await run({ delaySeconds: 5 }, 4_000))).toEqual(Array(3).fill("RESTART_OUT_OF_TIME"));
    expect(happened.some((step) => step.startsWith("PATCH"))).toBe(false);
  });
});

it("the versions that workloads start with are recorded without the delay", async () => {
  const first = { ...pending, isFirst: true };
  const { happened, run } = setUp({
    request: first,
    annotation: printPendingRestart(first),
    restarted: ["b"],
  });

  expect(outcomesOf(await run({ delaySeconds: 5 }))).toEqual(["already", "already", "already"]);
  expect(happened).not.toContain("waits 5000");
  expect(happened.filter((step) => step.startsWith("PATCH"))).toEqual(["PATCH a", "PATCH c"]);
});

it("a Secret that changed again is left to the invocation that changed it", async () => {
  const { happened, run } = setUp({
    annotation: printPendingRestart({ ...pending, versionId: "v3" as VersionId }),
  });

  expect(outcomesOf(await run({}))).toEqual(Array(3).fill("RESTART_SUPERSEDED"));
  expect(happened.some((step) => step.startsWith("PATCH"))).toBe(false);
});
