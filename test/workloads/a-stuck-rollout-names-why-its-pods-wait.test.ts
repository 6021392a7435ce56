import { describe, expect, it } from "vitest";
import { assessReaders } from "../../shared/assess/assess-readers.ts";
import type { Verdict } from "../../shared/assess/verdict.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";
import { waitingReason, withPodReasons } from "../../shared/workloads/pod-reasons.ts";
import { restartedFor } from "../../shared/workloads/restart-annotations.ts";
import type { RawObject } from "../../shared/workloads/workload.ts";

const target = { cluster: "main", namespace: "shop", name: "db" };
const versionId = "v2" as VersionId;
const pending = { versionId, changedAt: 0, isFirst: false };
const budget = { signal: new AbortController().signal, remainingMs: () => 60_000 };

const waiting = (reason: unknown, message = "canary-5d1c") => ({
  name: "main",
  state: { waiting: { reason, message } },
});
const pod = (
  reason: unknown,
  {
    version = "v2",
    kind = "StatefulSet",
    metadata = {},
  }: { version?: string; kind?: string; metadata?: object } = {},
) => ({
  metadata: {
    name: "shop-1",
    ownerReferences: [{ kind, name: "shop", controller: true }],
    annotations: { [restartedFor("db")]: version },
    ...metadata,
  },
  status: { containerStatuses: [waiting(reason)] },
});
const restart = (state: "stuck" | "progressing", kind = "StatefulSet"): RestartOutcome => ({
  workload: `${kind}/shop`,
  outcome: "already",
  rollout: { state, reason: "RolloutDeadlineExceeded" },
});

async function explain(pods: readonly object[] | Error, restarts = [restart("stuck")]) {
  const paths: string[] = [];
  const callObject = async ({ path }: { path: string }): Promise<unknown> => {
    paths.push(path);
    if (pods instanceof Error) throw pods;
    return { items: pods };
  };
  const explained = await withPodReasons({ callObject }, { target, pending, budget }, restarts);
  return { ...explained, reasons: explained.restarts[0]?.rollout?.podReasons, paths };
}

describe("a stuck rollout", () => {
  it("names the reasons of its new pods, the most frequent first, by one list", async () => {
    const pods = [pod("ImagePullBackOff"), pod("CrashLoopBackOff"), pod("CrashLoopBackOff")];
    const { reasons, paths } = await explain(pods);

    expect(reasons).toEqual(["CrashLoopBackOff", "ImagePullBackOff"]);
    expect(paths).toEqual(["/api/v1/namespaces/shop/pods"]);
  });

  it.each([
    ["pods with an older version", pod("CrashLoopBackOff", { version: "v1" })],
    ["pods of another workload", pod("CrashLoopBackOff", { kind: "DaemonSet" })],
    ["pods that are being deleted", pod("CrashLoopBackOff", { metadata: { deletionTimestamp: "now" } })],
    [
      "pods that run",
      { ...pod(""), status: { containerStatuses: [{ name: "main", state: { running: {} } }] } },
    ],
    ["pods without a status", { ...pod(""), status: undefined }],
  ])("does not count %s", async (_, each) => {
    expect((await explain([each])).reasons).toBeUndefined();
  });

  it("of a Rollout counts all its pods, whose template does not change", async () => {
    const metadata = {
      ownerReferences: [{ kind: "ReplicaSet", name: "shop-6d4c", controller: true }],
      labels: { "rollouts-pod-template-hash": "6d4c" },
      annotations: {},
    };
    const pods = [pod("CreateContainerConfigError", { metadata })];
    expect((await explain(pods, [restart("stuck", "Rollout")])).reasons).toEqual([
      "CreateContainerConfigError",
    ]);
  });

  it("whose Pods cannot be listed says why", async () => {
    const { reasons, podsUnknown } = await explain(new ClusterForbidden("main", "list", "Pod shop"));
    expect([reasons, podsUnknown]).toEqual([undefined, "CLUSTER_FORBIDDEN"]);
  });

  it("costs nothing as long as it is not stuck", async () => {
    expect((await explain([pod("CrashLoopBackOff")], [restart("progressing")])).paths).toEqual([]);
  });

  it("shows in the finding", () => {
    const verdict: Verdict = {
      ...{ target, source: "prod/db", finding: null, action: "none", observed: "metadata", details: {} },
    };
    const stuck = (podReasons: string[]) => ({ rollout: { state: "stuck", reason: "Degraded", podReasons } });
    const restarts = [stuck(["CrashLoopBackOff"]), stuck(["ErrImagePull", "CrashLoopBackOff"])];
    expect(assessReaders(verdict, { restarts })).toMatchObject({
      finding: "ROLLOUT_STUCK",
      details: { cause: "Degraded", podReasons: ["CrashLoopBackOff", "ErrImagePull"] },
    });
  });
});

describe("a reason", () => {
  const reasonOf = (status: object) => waitingReason({ status } as RawObject);

  it("is only a known word of the kubelet, and never its message", () => {
    expect(reasonOf({ containerStatuses: [waiting("CrashLoopBackOff")] })).toBe("CrashLoopBackOff");
    for (const other of ["password=canary-5d1c", "Hunter2", "", 7, null, {}, undefined]) {
      expect(reasonOf({ containerStatuses: [waiting(other)] })).toBeUndefined();
    }
    for (const malformed of [7, [null], [{ state: 7 }], [{ state: { waiting: null } }]]) {
      expect(reasonOf({ containerStatuses: malformed })).toBeUndefined();
    }
  });

  it("of an init container comes before those that wait for it", () => {
    const initContainerStatuses = [waiting("ErrImagePull")];
    expect(reasonOf({ initContainerStatuses, containerStatuses: [waiting("CrashLoopBackOff")] })).toBe(
      "ErrImagePull",
    );
  });
});
