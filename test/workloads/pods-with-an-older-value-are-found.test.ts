import { describe, expect, it } from "vitest";
import { outdatedPod } from "../../shared/workloads/outdated-pods.ts";
import type { RawObject } from "../../shared/workloads/workload.ts";

const CHANGED = Date.parse("2026-11-24T10:00:00.000Z");
const BEFORE = "2026-11-24T09:00:00Z";
const env = { env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } }] };
const envFrom = { envFrom: [{ secretRef: { name: "db" } }] };
const volumes = [{ name: "v", secret: { secretName: "db" } }];

const pod = (
  container: object,
  {
    startedAt = BEFORE,
    spec = {},
    metadata = {},
  }: { startedAt?: string; spec?: object; metadata?: object } = {},
): RawObject =>
  ({
    metadata: { name: "shop-1", ...metadata },
    spec: { containers: [{ name: "main", ...container }], ...spec },
    status: { phase: "Running", containerStatuses: [{ name: "main", state: { running: { startedAt } } }] },
  }) as RawObject;
const find = (it: RawObject) => outdatedPod(it, "db", CHANGED);

describe("a Pod that started before the change", () => {
  const outdated: { it: string; pod: RawObject }[] = [
    { it: "reads the Secret by env", pod: pod(env) },
    { it: "reads the Secret by envFrom", pod: pod(envFrom) },
    {
      it: "mounts it through a subPath",
      pod: pod(
        { volumeMounts: [{ name: "v", mountPath: "/p", subPath: "password" }] },
        { spec: { volumes } },
      ),
    },
    {
      it: "mounts it through a subPathExpr in a projected volume",
      pod: pod(
        { volumeMounts: [{ name: "v", mountPath: "/p", subPathExpr: "$(NAME)" }] },
        { spec: { volumes: [{ name: "v", projected: { sources: [{ secret: { name: "db" } }] } }] } },
      ),
    },
  ];
  it.each(outdated)("is outdated when it $it", (row) => {
    expect(find(row.pod)).toEqual({
      pod: "shop-1",
      containers: ["main"],
      startedAt: "2026-11-24T09:00:00.000Z",
    });
  });

  const current: { it: string; pod: RawObject }[] = [
    {
      it: "mounts it as files, which follow",
      pod: pod({ volumeMounts: [{ name: "v", mountPath: "/p" }] }, { spec: { volumes } }),
    },
    { it: "reads another Secret", pod: pod({ envFrom: [{ secretRef: { name: "other" } }] }) },
    { it: "is being deleted", pod: pod(env, { metadata: { deletionTimestamp: BEFORE } }) },
    { it: "has restarted its container since", pod: pod(env, { startedAt: "2026-11-24T10:00:01Z" }) },
    { it: "started within the tolerance of clocks", pod: pod(env, { startedAt: "2026-11-24T09:59:56Z" }) },
    { it: "waits to start", pod: { ...pod(env), status: { phase: "Pending" } } },
    {
      it: "has ended",
      pod: { ...pod(env), status: { phase: "Succeeded", containerStatuses: [{ name: "main" }] } },
    },
    { it: "tells no time", pod: pod(env, { startedAt: "yesterday" }) },
  ];
  it.each(current)("is not outdated when it $it", (row) => expect(find(row.pod)).toBeUndefined());
});

it("a sidecar counts, an init container that has ended does not", () => {
  const of = (initContainer: object): RawObject => ({
    metadata: { name: "shop-1" },
    spec: { containers: [], initContainers: [{ name: "first", ...envFrom, ...initContainer }] } as object,
    status: { initContainerStatuses: [{ name: "first", state: { running: { startedAt: BEFORE } } }] },
  });
  expect(find(of({ restartPolicy: "Always" }))).toMatchObject({ containers: ["first"] });
  expect(find(of({}))).toBeUndefined();
});

describe("the workload of a Pod", () => {
  const owned = (kind: string, name: string, labels: object = {}) =>
    find(pod(env, { metadata: { ownerReferences: [{ kind, name, controller: true }], labels } }))?.workload;
  it.each([
    { owner: ["ReplicaSet", "shop-6d4c", { "pod-template-hash": "6d4c" }], want: "Deployment/shop" },
    { owner: ["ReplicaSet", "shop-6d4c", { "rollouts-pod-template-hash": "6d4c" }], want: "Rollout/shop" },
    { owner: ["ReplicaSet", "shop", {}], want: "ReplicaSet/shop" },
    { owner: ["StatefulSet", "shop", {}], want: "StatefulSet/shop" },
    { owner: ["Job", "shop-1", {}], want: "Job/shop-1" },
  ] as const)("is $want", ({ owner: [kind, name, labels], want }) => {
    expect(owned(kind, name, labels)).toBe(want);
  });
});
