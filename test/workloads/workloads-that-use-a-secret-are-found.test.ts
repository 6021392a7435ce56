import { describe, expect, it } from "vitest";
import { findUsers, mountsSecret, usesSecret } from "../../shared/workloads/uses-secret.ts";
import type { RawObject } from "../../shared/workloads/workload.ts";

const container = (more: object) => ({ containers: [{ name: "main" }, { name: "side", ...more }] });
const env = (secretKeyRef: object) => ({
  env: [
    { name: "A", value: "x" },
    { name: "B", valueFrom: { secretKeyRef } },
  ],
});

const places = [
  { it: "an env variable", spec: container(env({ name: "db", key: "password" })), uses: true, mounts: false },
  {
    it: "envFrom",
    spec: container({ envFrom: [{ configMapRef: { name: "db" } }, { secretRef: { name: "db" } }] }),
    uses: true,
    mounts: false,
  },
  {
    it: "an init container's env",
    spec: { initContainers: [{ name: "init", ...env({ name: "db" }) }] },
    uses: true,
    mounts: false,
  },
  {
    it: "an init container's envFrom",
    spec: { initContainers: [{ envFrom: [{ secretRef: { name: "db" } }] }] },
    uses: true,
    mounts: false,
  },
  {
    it: "a volume",
    spec: { volumes: [{ name: "v", secret: { secretName: "db" } }] },
    uses: true,
    mounts: true,
  },
  {
    it: "a projected volume",
    spec: {
      volumes: [
        { name: "v", projected: { sources: [{ configMap: { name: "x" } }, { secret: { name: "db" } }] } },
      ],
    },
    uses: true,
    mounts: true,
  },
  {
    it: "imagePullSecrets",
    spec: { imagePullSecrets: [{ name: "x" }, { name: "db" }] },
    uses: true,
    mounts: false,
  },
  {
    it: "a CSI driver's credentials",
    spec: { volumes: [{ name: "v", csi: { driver: "d", nodePublishSecretRef: { name: "db" } } }] },
    uses: true,
    mounts: false,
  },
  {
    it: "another driver's credentials",
    spec: { volumes: [{ name: "v", cephfs: { secretRef: { name: "db" } } }] },
    uses: true,
    mounts: false,
  },
  {
    it: "not in a ConfigMap of that name",
    spec: container({ envFrom: [{ configMapRef: { name: "db" } }] }),
    uses: false,
    mounts: false,
  },
  {
    it: "not in a ConfigMap's volume",
    spec: { volumes: [{ name: "db", configMap: { name: "db" } }] },
    uses: false,
    mounts: false,
  },
  {
    it: "not in a Secret whose name only has that prefix",
    spec: container({ envFrom: [{ secretRef: { name: "db-2" } }] }),
    uses: false,
    mounts: false,
  },
  {
    it: "not in a container of that name",
    spec: { containers: [{ name: "db", image: "db" }] },
    uses: false,
    mounts: false,
  },
  {
    it: "not in a spec with another structure",
    spec: { containers: "db", volumes: { secret: "db" }, imagePullSecrets: [null] },
    uses: false,
    mounts: false,
  },
  { it: "not in no spec", spec: undefined, uses: false, mounts: false },
];

describe("a Secret is found", () => {
  it.each(places)("in $it", ({ spec, uses, mounts }) => {
    expect(usesSecret(spec, "db")).toBe(uses);
    expect(mountsSecret(spec, "db")).toBe(mounts);
  });
});

describe("of the workloads of a namespace", () => {
  const workload = (kind: string, name: string, spec: object): RawObject => ({
    kind,
    metadata: { name },
    spec,
  });
  const reads = { template: { spec: container({ envFrom: [{ secretRef: { name: "db" } }] }) } };
  const namesOf = (workloads: readonly RawObject[]) =>
    findUsers(workloads, "db").map(({ kind, metadata }) => `${kind}/${metadata?.name}`);

  it("the ones that use the Secret are found, of each kind", () => {
    const kinds = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"];
    const all = kinds.flatMap((kind) => [workload(kind, "a", reads), workload(kind, "b", { template: {} })]);

    expect(namesOf(all)).toEqual(kinds.map((kind) => `${kind}/a`));
  });

  it("a Rollout replaces the Deployment whose template it uses", () => {
    const rollout = workload("Rollout", "shop", { workloadRef: { kind: "Deployment", name: "base" } });

    expect(namesOf([workload("Deployment", "base", reads), rollout])).toEqual(["Rollout/shop"]);
  });

  it("other kinds are ignored", () => expect(namesOf([workload("ReplicaSet", "a", reads)])).toEqual([]));
});
