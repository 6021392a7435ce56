import { afterEach, describe, expect, it } from "vitest";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { mixDrifts, REPAIRABLE } from "../harness/drifts.ts";
import { expectedFindings, foundBy } from "../harness/fleet.ts";
import { pinnedCluster } from "../harness/relay.ts";
import { unknownIn } from "../harness/rows.ts";
import { METADATA, sweeperOf, useSweepScene, VALUES } from "./sweep-scene.ts";

const scene = useSweepScene();
let other: KubernetesSandbox | undefined;

afterEach(async () => {
  await other?.stop();
  other = undefined;
});

/** A second cluster, still without Secrets. */
const startOther = async (): Promise<KubernetesSandbox> => {
  const { aws, authority } = scene.sandbox;
  other = await startKubernetesSandbox({
    clusterName: "other",
    region: aws.region,
    authority,
    credentialsOf: (accessKeyId) => aws.credentialsOf(accessKeyId),
  });
  return other;
};

/** Every second binding is in the other cluster; those at the end are in the main one, and drift. */
const openTwoClusters = async ({ endpoint, certificateAuthorityData, clusterName }: KubernetesSandbox) => {
  const main = pinnedCluster(scene.backend);
  const clusters = { main, other: { ...main, name: clusterName, endpoint, certificateAuthorityData } };
  const fleet = await scene.openFleet({
    size: 228,
    perNamespace: 4,
    clusters,
    drifts: mixDrifts(REPAIRABLE, 28),
    clusterOf: (index) => (index < 200 && index % 2 === 1 ? "other" : "main"),
  });
  await fleet.drift();
  return fleet;
};

const DEAD = [
  { it: "cuts every connection", fault: { kind: "reset", when: "before" }, code: "CLUSTER_UNAVAILABLE" },
  {
    it: "throttles every call",
    fault: { kind: "throttle", retryAfterSeconds: 0 },
    code: "CLUSTER_THROTTLED",
  },
  { it: "fails every call", fault: { kind: "server-error" }, code: "CLUSTER_UNAVAILABLE" },
] as const;

describe.for(DEAD)("a cluster that $it", ({ fault, code }) => {
  it.for([METADATA, VALUES])(
    "is called a few times, reported as unknown, and does not affect the other: %j",
    async (input) => {
      const cluster = await startOther();
      const fleet = await openTwoClusters(cluster);
      cluster.faults.add(fault);
      const sweeper = await sweeperOf(fleet);

      const report = await sweeper.sweep(input);

      expect(unknownIn(report)).toHaveLength(100);
      for (const { cluster: ofCluster, code: told } of unknownIn(report)) {
        expect({ cluster: ofCluster, told }).toEqual({ cluster: "other", told: code });
      }
      const seen = expectedFindings(fleet, ({ code: found, action }) =>
        input === METADATA || found !== "ORPHAN" ? action : undefined,
      );
      expect(foundBy(report)).toEqual(seen);
      expect(cluster.requests.total).toBeLessThanOrEqual(60);
    },
  );
});

it("a cluster is swept completely while another one does not respond", async () => {
  const cluster = await startOther();
  const fleet = await openTwoClusters(cluster);
  const isDone = Promise.withResolvers<void>();
  cluster.faults.before(() => isDone.promise); // a sweep that waits for this cluster first would never end
  scene.sandbox.kubernetes.faults.before(({ verb }) => {
    if (verb === "delete") isDone.resolve(); // deletions come last
  });
  cluster.faults.add({ kind: "server-error" });
  const sweeper = await sweeperOf(fleet);

  const report = await sweeper.sweep(METADATA);

  expect(foundBy(report)).toEqual(expectedFindings(fleet));
  expect(unknownIn(report)).toHaveLength(100);
});
