import { describe, expect, it } from "vitest";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden, ClusterUnavailable, FenceConflict } from "../../shared/cluster/errors.ts";
import type { SecretName } from "../../shared/cluster/live-secret.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { deleteWithinShare } from "../../shared/sweep/carry-out.ts";
import type { ClusterSweep } from "../../shared/sweep/cluster-sweep.ts";
import type { Assessed } from "../../shared/sweep/target-row.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { anyBudget, bindingOf, FIRST, liveOf } from "./factories.ts";

const NOTHING_ASKED: ClusterSweep["source"] = {
  describe: () => Promise.reject(new Error("No source was to be asked for")),
  listStates: () => Promise.reject(new Error("Nothing was to be listed")),
  readMany: () => Promise.reject(new Error("Nothing was to be read")),
};

type Deletion = { name: string; only: object };

const clusterThat = (answer: (secret: SecretName) => boolean) => {
  const asked: Deletion[] = [];
  const untouchable = () => Promise.reject(new Error("Nothing but deletions was to be asked"));
  const cluster: ClusterConnection = {
    readSecret: untouchable,
    applySecret: untouchable,
    patchMetadata: untouchable,
    readMetadata: untouchable,
    listMetadata: untouchable,
    callObject: untouchable,
    deleteSecret: async (secret, only) => {
      asked.push({ name: secret.name, only });
      return answer(secret);
    },
  };
  return { cluster, asked };
};

const sweepOf = (
  cluster: unknown,
  bindings: number,
  deletionsShareMax: number,
  more: Partial<ClusterSweep> = {},
): ClusterSweep => {
  const sweep = {
    source: NOTHING_ASKED,
    checkRules: async () => "in-force",
    cluster,
    clusterKey: "main",
    items: Array.from({ length: bindings }, (_, index) => ({ binding: bindingOf({ name: `db-${index}` }) })),
    mode: "metadata",
    plan: false,
    budget: anyBudget(),
    isBound: () => true,
    judgesOrphansIn: () => true,
    deletionsShareMax,
    mayDelete: true,
    rules: { ownMetadata: RELAY_METADATA, deletionGraceMs: 86_400_000 },
    alsoBoundIn: async () => [],
    ...more,
  };
  return sweep as unknown as ClusterSweep;
};

const assessedOf = (index: number): Assessed => ({
  verdict: {
    target: { cluster: "main", namespace: "app", name: `db-${index}` },
    source: "prod/db",
    finding: "ORPHAN",
    action: "delete",
    observed: "metadata",
    details: {},
  },
  live: {
    ...liveOf(bindingOf({ name: `db-${index}` })),
    uid: `uid-${index}`,
    resourceVersion: String(index),
  },
});

const deletable = (count: number) => Array.from({ length: count }, (_, index) => assessedOf(index));

describe("deletions", () => {
  it.each([
    { of: 10, among: 100, share: 0.1, become: "deleted" },
    { of: 11, among: 100, share: 0.1, become: "held-back" },
    { of: 1, among: 3, share: 0.1, become: "deleted" },
    { of: 2, among: 3, share: 0.1, become: "held-back" },
    { of: 1, among: 100, share: 0, become: "held-back" },
    { of: 100, among: 100, share: 1, become: "deleted" },
    { of: 1, among: 0, share: 0.1, become: "deleted" },
  ])("of $of among $among bindings at a share of $share: $become", async ({ of, among, share, become }) => {
    const { cluster, asked } = clusterThat(() => true);
    const rows = await deleteWithinShare(sweepOf(cluster, among, share), deletable(of));
    expect(rows.map(({ outcome }) => outcome)).toEqual(Array.from({ length: of }, () => become));
    expect(asked).toHaveLength(become === "deleted" ? of : 0);
  });

  it.each([
    { check: "superseded", code: "RULES_SUPERSEDED" },
    { check: "unknown", code: "RULES_UNKNOWN" },
  ] as const)(
    "do not happen when the rules are $check after the Secret was observed",
    async ({ check, code }) => {
      const { cluster, asked } = clusterThat(() => true);
      const sweep = sweepOf(cluster, 10, 1, { checkRules: async () => check });
      const rows = await deleteWithinShare(sweep, deletable(1));
      expect(rows).toMatchObject([{ outcome: "failed", code }]);
      expect(asked).toHaveLength(0);
    },
  );

  it("do not happen with a local bindings file, which may be older than the deployed bindings", async () => {
    const { cluster, asked } = clusterThat(() => true);
    const sweep = sweepOf(cluster, 10, 1, { mayDelete: false });
    const rows = await deleteWithinShare(sweep, deletable(1));
    expect(rows).toMatchObject([{ outcome: "held-back", code: "LOCAL_BINDINGS" }]);
    expect(asked).toEqual([]);
  });

  it("do not happen when another entry leads to the same cluster and still binds the Secret", async () => {
    const { cluster, asked } = clusterThat(() => true);
    const other = { readMetadata: async () => liveOf(bindingOf(), { uid: "uid-0" }) };
    const connect = () => other as unknown as ClusterConnection;
    const sweep = sweepOf(cluster, 10, 1, { connect, alsoBoundIn: async () => ["alias"] });
    const rows = await deleteWithinShare(sweep, deletable(1));
    expect(rows).toMatchObject([{ outcome: "refused", code: "CLUSTER_LISTED_TWICE" }]);
    expect(asked).toEqual([]);
  });

  it("apply only to the observed state", async () => {
    const { cluster, asked } = clusterThat(() => true);
    await deleteWithinShare(sweepOf(cluster, 10, 0.1), deletable(1));
    expect(asked).toMatchObject([{ name: "db-0", only: { uid: "uid-0", resourceVersion: "0" } }]);
    expect(asked).toHaveLength(1);
  });

  it("are reported one by one, and a failed one stops no other", async () => {
    const answers: Record<string, () => boolean> = {
      "db-0": () => true,
      "db-1": () => false,
      "db-2": () => {
        throw new FenceConflict("app/db-2");
      },
      "db-3": () => {
        throw new ClusterForbidden("main", "delete", "app/db-3");
      },
      "db-4": () => {
        throw new ClusterUnavailable("main", "HTTP 500");
      },
    };
    const { cluster } = clusterThat(({ name }) => answers[name]?.() ?? false);

    const rows = await deleteWithinShare(sweepOf(cluster, 100, 0.1), deletable(5));

    expect(rows).toMatchObject([
      { outcome: "deleted" },
      { outcome: "unchanged" },
      { outcome: "failed", code: "FENCE_CONFLICT" },
      { outcome: "refused", code: "CLUSTER_FORBIDDEN" },
      { outcome: "failed", code: "CLUSTER_UNAVAILABLE" },
    ]);
  });

  const states: { source: SourceState; become: string }[] = [
    { source: { kind: "missing" }, become: "deleted" },
    { source: { kind: "current", versionId: FIRST }, become: "unchanged" },
    { source: { kind: "scheduled-for-deletion" }, become: "unchanged" },
    { source: { kind: "without-value" }, become: "unchanged" },
    {
      source: { kind: "unknown", code: "SOURCE_THROTTLED", advice: "", retryable: true },
      become: "failed",
    },
  ];
  it.each(states)(
    "for a missing source ask for it again: $source.kind, $become",
    async ({ source, become }) => {
      const { cluster, asked } = clusterThat(() => true);
      const assessed: Assessed = { ...assessedOf(0), binding: bindingOf() };
      const catalog = { ...NOTHING_ASKED, describe: async () => source };
      const rows = await deleteWithinShare(sweepOf(cluster, 10, 0.1, { source: catalog }), [assessed]);
      expect(rows.map(({ outcome }) => outcome)).toEqual([become]);
      expect(asked).toHaveLength(become === "deleted" ? 1 : 0);
    },
  );
});
