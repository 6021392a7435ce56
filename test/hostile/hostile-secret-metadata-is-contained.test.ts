import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess, assessOrphan } from "../../shared/assess/assess.ts";
import { HOLD_ANNOTATION } from "../../shared/bindings/relay-identity.ts";
import { parseLiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { circuitBreaker } from "../../shared/sweep/circuit-breaker.ts";
import type { ClusterSweep } from "../../shared/sweep/cluster-sweep.ts";
import { observeByMetadata } from "../../shared/sweep/observe-metadata.ts";
import { rowOf } from "../../shared/sweep/target-row.ts";
import { desiredOf, liveAfter } from "../assess/factories.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { anyBudget, bindingOf, FIRST, liveOf, SECOND } from "../sweep/factories.ts";
import { connectTo, failureOf, row, shortBudget, table } from "./hostile-cluster.ts";
import { answer, useHostileServers } from "./hostile-server.ts";

const { start } = useHostileServers();
const NOW = Date.UTC(2026, 10, 25, 3);
const binding = bindingOf();
const adopting = bindingOf({}, { adopt: true });
const { annotations: ANNOTATIONS } = RELAY_METADATA;
const RULES = { ownMetadata: RELAY_METADATA, now: NOW, deletionGraceMs: 86_400_000 };
const current: readonly SourceState[] = [{ kind: "current", versionId: SECOND, changedAt: NOW - 1 }];

/** The limit of Kubernetes for annotations: 256 KiB. */
const HUGE = "x,".repeat(128 * 1024);
/** A log line holds 256 KiB, and Lambda gives back 6 MB: a finding must leave room for thousands of others. */
const FINDING_BYTES_MAX = 64 * 1024;

const anyForgery = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    HUGE,
    ..."\n\0\u001b[2J",
    "9999-12-31T23:59:59Z",
    "-271821-04-20T00:00:00.000Z",
    "NaN",
    `${FIRST} 2026-11-25T03:00:00.000Z`,
    Array.from({ length: 40_000 }, (_, at) => `key-${at}`).join(","),
    "x".repeat(256 * 1024),
    "__proto__,constructor,..,.",
  ),
);

const anyAnnotations = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...Object.values(ANNOTATIONS), ...[HOLD_ANNOTATION, "secret-relay/of-a-version-to-come"]),
    fc.string(),
  ),
  anyForgery,
);

const manyKeys = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`f:key-${at}`, {}]));
const anyLedger = fc.array(
  fc.record({
    manager: fc.constantFrom("secret-relay", "kubectl-edit", "x".repeat(100_000), "\u001b[2J"),
    operation: fc.constantFrom("Apply", "Update"),
    time: fc.constantFrom("2026-11-25T03:00:00Z", "9999-12-31T23:59:59Z", "never", "275760-09-13T00:00:01Z"),
    fieldsV1: fc.constantFrom<object>(
      {},
      { "f:data": manyKeys },
      { "f:data": { "f:password": {} }, "f:metadata": { "f:annotations": { [`f:${HUGE}`]: {} } } },
    ),
  }),
  { maxLength: 3 },
);

/** The Secret as the relay wrote it, with changes by another client that still allow a comparison. */
const anyTouched = fc
  .record({
    annotations: fc.dictionary(fc.constantFrom(...Object.values(ANNOTATIONS)), anyForgery, { maxKeys: 2 }),
    version: fc.constantFrom(FIRST, SECOND),
    taken: fc.subarray(["user", "password"]),
    ledger: anyLedger,
    time: fc.constantFrom("2026-11-25T03:00:00Z", "never"),
  })
  .map(({ annotations, version, taken, ledger, time }) => {
    const { annotations: own, labels } = liveOf(binding);
    const fields = (names: string[]) => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
    const kept = { "f:data": fields(["user", "host"].filter((key) => !taken.includes(key))) };
    return {
      annotations: { ...own, [ANNOTATIONS.versionId]: version as string, ...annotations },
      labels,
      ownerReferences: [] as object[],
      managedFields: [
        { manager: "secret-relay", operation: "Apply", time, fieldsV1: kept },
        { manager: "y".repeat(100_000), operation: "Update", time, fieldsV1: { "f:data": fields(taken) } },
        ...ledger,
      ],
    };
  });

const anyForeign = fc.record({
  annotations: anyAnnotations,
  labels: fc.constantFrom<Record<string, string>>(
    {},
    { [RELAY_METADATA.managedLabel]: RELAY_METADATA.identity, team: "shop" },
  ),
  managedFields: anyLedger,
  ownerReferences: fc.constantFrom<object[]>(
    [],
    [{ controller: true, kind: "x".repeat(500_000), name: "Run\nthis", apiVersion: "v1", uid: "u" }],
  ),
});
const anyMetadata = fc.oneof(anyTouched, anyForeign);
const anyType = fc.constantFrom("Opaque", "Opaque", "Opaque", "x".repeat(500_000), "a type\nwith lines");

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? "");

describe("hostile metadata on a Secret", () => {
  it("gives short reports, and the sweep ends", () => {
    fc.assert(
      fc.property(anyMetadata, anyType, (metadata, type) => {
        const live = parseLiveMetadata({ ...liveOf(binding), ...metadata } as never, type);
        for (const told of [
          assess({ binding, live: { kind: "found", secret: live }, sources: current }, RULES),
          assessOrphan("main", live, RULES),
          rowOf(
            {
              verdict: assess({ binding, live: { kind: "found", secret: live }, sources: current }, RULES),
              binding,
              live,
              states: [],
            },
            RELAY_METADATA,
          ),
        ]) {
          expect(bytesOf(told)).toBeLessThan(FINDING_BYTES_MAX);
          expect(JSON.stringify(told) ?? "").not.toMatch(/x{500}|y{500}/);
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it("does not stop a rotation, and gives short reports", () => {
    const desired = desiredOf({ data: { password: "new" } });
    fc.assert(
      fc.property(anyMetadata, anyType, (metadata, type) => {
        const forged = parseLiveMetadata(metadata as never, type);
        const was = liveAfter(desiredOf({ data: { password: "old" } }));
        const secret = { ...was, ...forged, uid: was.uid };
        const verdict = assess(
          { binding: adopting, live: { kind: "found", secret }, sources: current, desired },
          RULES,
        );
        const { write: _write, ...shown } = verdict;
        expect(bytesOf(shown)).toBeLessThan(FINDING_BYTES_MAX);
        // No annotation makes the relay take an old value for the new one.
        expect(["update", "refuse"]).toContain(verdict.action);
        if (verdict.action === "update") {
          expect(verdict.write?.changes).toContainEqual({ field: "data.password", what: "changed" });
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it("does not hide a newer version, by any forged version, fingerprint or time", () => {
    const forged = {
      [ANNOTATIONS.writtenAt]: "9999-12-31T23:59:59Z",
      "secret-relay/of-a-version-to-come": "1",
    };
    const { annotations, ...live } = liveOf(binding);
    const secret = { ...live, annotations: { ...annotations, ...forged } };
    const seen = assess({ binding, live: { kind: "found", secret }, sources: current }, RULES);
    expect(seen).toMatchObject({ finding: "STALE", action: "update" });
  });
});

describe("a namespace whose list stays too large", () => {
  const HUGE_ROWS = Array.from({ length: 400 }, (_, at) =>
    row(`filler-${at}`, { namespace: "app", annotations: { text: "x".repeat(50_000) } }),
  );
  const live = liveOf(binding);
  const fieldsV1 = { "f:data": { "f:password": {} } };
  const one = row("db", {
    annotations: live.annotations,
    labels: live.labels,
    managedFields: [{ manager: "secret-relay", operation: "Apply", fieldsV1 }],
  });
  const startServer = async () => {
    const lists = { count: 0 };
    const tooMuch = answer(table(HUGE_ROWS));
    const asked = answer(table([one]));
    const server = await start((socket, request) => {
      const isList = request.includes("/secrets?");
      if (isList) lists.count += 1;
      (isList ? tooMuch : asked)(socket, request);
    });
    return { server, lists };
  };

  it("that ignores smaller pages is given up, and its bound Secrets are read one by one", async () => {
    const { server, lists } = await startServer();
    const sweep = {
      now: () => NOW,
      targetsAtOnce: 4,
      source: { describe: async () => current[0] },
      cluster: connectTo(server),
      clusterKey: "main",
      mode: "metadata" as const,
      plan: true,
      budget: anyBudget(),
      isBound: () => true,
      judgesOrphansIn: () => true,
      deletionsShareMax: 0.1,
      mayDelete: true,
      alsoBoundIn: async () => [],
      rules: { ownMetadata: RELAY_METADATA, deletionGraceMs: 86_400_000 },
      items: [{ binding }],
    } as unknown as ClusterSweep;
    const seen = await observeByMetadata(sweep, sweep.items, new Map());

    expect(lists.count).toBe(4);
    expect(seen.assessed.map(({ verdict }) => verdict)).toMatchObject([
      { finding: "STALE", action: "update" },
    ]);
    expect(seen.orphansUnknown).toEqual([{ cluster: "main", namespace: "app", code: "CLUSTER_UNAVAILABLE" }]);
  });

  it("does not make the relay stop for the cluster, even if there are many", async () => {
    const { server } = await startServer();
    const cluster = circuitBreaker(connectTo(server), { wait: async () => {} });
    for (let at = 0; at < 5; at += 1) {
      expect(await failureOf(cluster.listMetadata("app", "x=y", shortBudget(30_000)))).toMatchObject({
        code: "CLUSTER_UNAVAILABLE",
      });
    }
    expect(await cluster.readMetadata({ namespace: "app", name: "db" }, shortBudget(5_000))).toMatchObject({
      name: "db",
    });
  });
});
