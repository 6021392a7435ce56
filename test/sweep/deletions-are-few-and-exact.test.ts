import { describe, expect, it } from "vitest";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden, ClusterUnavailable, FenceConflict } from "../../shared/cluster/errors.ts";
import type { SecretName } from "../../shared/cluster/secrets-api.ts";
import type { SourceCatalog } from "../../shared/source/source-catalog.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { deleteWithinShare } from "../../shared/sweep/delete.ts";
import type { ShardRequest, Sighting } from "../../shared/sweep/look.ts";
import { anyBudget, bindingOf, FIRST } from "./factories.ts";

const NOTHING_ASKED: SourceCatalog = {
  describe: () => Promise.reject(new Error("No source was to be asked for")),
  listPage: () => Promise.reject(new Error("Nothing was to be listed")),
};

type Deletion = { name: string; only: object };

const clusterThat = (answer: (secret: SecretName) => boolean) => {
  const asked: Deletion[] = [];
  const untouchable = () => Promise.reject(new Error("Nothing but deletions was to be asked"));
  const cluster: ClusterConnection = {
    readSecret: untouchable,
    applySecret: untouchable,
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

const requestOf = (bindings: number, deletionsShareMax: number): ShardRequest => ({
  cluster: "main",
  items: Array.from({ length: bindings }, (_, index) => ({ binding: bindingOf({ name: `db-${index}` }) })),
  mode: "metadata",
  plan: false,
  budget: anyBudget(),
  isBound: () => true,
  judgesOrphansIn: () => true,
  deletionsShareMax,
});

const sightingOf = (index: number): Sighting => ({
  diagnosis: {
    code: "ORPHAN",
    target: { cluster: "main", namespace: "app", name: `db-${index}` },
    source: "prod/db",
    details: {},
    remedy: "delete",
  },
  live: { uid: `uid-${index}`, resourceVersion: String(index) },
});

const sightings = (count: number) => Array.from({ length: count }, (_, index) => sightingOf(index));

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
    const findings = await deleteWithinShare(
      { catalog: NOTHING_ASKED },
      cluster,
      requestOf(among, share),
      sightings(of),
    );
    expect(findings.map(({ action }) => action.kind)).toEqual(Array.from({ length: of }, () => become));
    expect(asked).toHaveLength(become === "deleted" ? of : 0);
  });

  it("name the one state that was looked at", async () => {
    const { cluster, asked } = clusterThat(() => true);
    await deleteWithinShare({ catalog: NOTHING_ASKED }, cluster, requestOf(10, 0.1), sightings(1));
    expect(asked).toEqual([{ name: "db-0", only: { uid: "uid-0", resourceVersion: "0" } }]);
  });

  it("are told one by one, and one that fails stops no other", async () => {
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

    const findings = await deleteWithinShare(
      { catalog: NOTHING_ASKED },
      cluster,
      requestOf(100, 0.1),
      sightings(5),
    );

    expect(findings.map(({ action }) => action)).toMatchObject([
      { kind: "deleted" },
      { kind: "already-right" },
      { kind: "failed", code: "FENCE_CONFLICT" },
      { kind: "refused", code: "CLUSTER_FORBIDDEN" },
      { kind: "failed", code: "CLUSTER_UNAVAILABLE" },
    ]);
  });

  const states: { source: SourceState; become: string }[] = [
    { source: { kind: "missing" }, become: "deleted" },
    { source: { kind: "current", versionId: FIRST }, become: "already-right" },
    { source: { kind: "scheduled-for-deletion" }, become: "already-right" },
    {
      source: { kind: "unreadable", code: "SOURCE_THROTTLED", advice: "", retryable: true },
      become: "failed",
    },
  ];
  it.each(states)(
    "for a missing source ask for it again: $source.kind, $become",
    async ({ source, become }) => {
      const { cluster, asked } = clusterThat(() => true);
      const sighting: Sighting = { ...sightingOf(0), item: { binding: bindingOf() } };
      const catalog: SourceCatalog = { ...NOTHING_ASKED, describe: async () => source };
      const findings = await deleteWithinShare({ catalog }, cluster, requestOf(10, 0.1), [sighting]);
      expect(findings.map(({ action }) => action.kind)).toEqual([become]);
      expect(asked).toHaveLength(become === "deleted" ? 1 : 0);
    },
  );
});
