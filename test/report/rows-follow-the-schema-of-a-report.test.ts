import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../shared/assess/assess.ts";
import { FINDINGS, type FindingCode } from "../../shared/assess/catalogue.ts";
import { liveTarget, type Observation } from "../../shared/assess/observation.ts";
import { HOLD_ANNOTATION, relayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import schema from "../../shared/sweep/report.schema.json" with { type: "json" };
import { rowOf, type TargetRow } from "../../shared/sweep/target-row.ts";
import { fleetSweeps } from "./any-fleet.ts";
import { finding, inOrder, REFUSED, sweepReport } from "./factories.ts";

const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

/** As a reader gets it: JSON has no undefined. */
function problemsOf(report: unknown) {
  validate(JSON.parse(JSON.stringify(report)));
  return (validate.errors ?? []).map(({ instancePath, message, params }) => ({
    instancePath,
    message,
    params,
  }));
}

const version = (text: string) => text as VersionId;
const problemsOfRow = (row: object) => problemsOf(sweepReport({ targets: [row as TargetRow] }));

describe("the schema of a report", () => {
  it("has the findings of the catalogue", () => {
    expect(schema.$defs.findingCode.enum).toEqual(Object.keys(FINDINGS));
  });

  it("accepts a fleet with every kind of row", () => {
    expect(problemsOf(fleetSweeps({ bindings: 7_000, sweeps: 2 })[1])).toEqual([]);
  });

  it.each(Object.keys(FINDINGS) as FindingCode[])("accepts a row with %s", (code) => {
    expect(problemsOfRow(finding("db", { finding: code }))).toEqual([]);
  });

  it("accepts every field of a row", () => {
    expect(
      problemsOfRow(
        finding("db", {
          ...REFUSED,
          deleteAfter: "2026-11-24T06:00:00.000Z",
          until: "2026-11-24T06:00:00.000Z",
          versionId: "a",
          writtenAt: "2026-11-24T06:00:00.000Z",
          currentVersionId: "b",
          sourceChangedAt: "2026-11-24T06:00:00.000Z",
          staleMs: 0,
          staleSources: [{ source: "prod/db", liveVersionId: "a", currentVersionId: "b" }],
          fields: [{ field: "data.a", what: "taken", manager: "helm", at: "2026-11-24T06:00:00.000Z" }],
          foreignKeys: [{ key: "a" }, { key: "b", manager: "helm" }],
          trackedBy: "Flux shop",
          changes: [{ key: "a", what: "taken back" }],
          collisions: [{ key: "a", sources: ["prod/a", "prod/b"] }],
          cause: "SOURCE_KEY_MISSING",
          certificateExpiresInDays: -1,
          restarts: [
            {
              ...{ workload: "Deployment/shop", outcome: "skipped", code: "RESTART_TOO_SOON" },
              ...{ versionId: version("a"), since: "2026-11-24T06:00:00.000Z" },
              until: "2026-11-24T06:05:00.000Z",
            },
            { workload: "Deployment/web", outcome: "restarted", alsoFor: ["cache"] },
          ],
          rotation: {
            ...{
              versionId: version("a"),
              state: "effective",
              writtenAfterMs: 1_000,
              effectiveAfterMs: 38_000,
            },
            movedAt: "2026-11-24T06:00:00.000Z",
            writtenAt: "2026-11-24T06:00:01.000Z",
            effectiveAt: "2026-11-24T06:00:38.000Z",
          },
          nudge: { nudged: 1, failed: 0, left: 0 },
          eventFailure: "CLUSTER_FORBIDDEN",
        }),
      ),
    ).toEqual([]);
  });

  it("accepts a stuck rollout, with the word of its controller and those of the kubelet", () => {
    const stuck = { cause: "ProgressDeadlineExceeded", podReasons: ["CrashLoopBackOff"] };
    const { cause: reason, podReasons } = stuck;
    const rollout = { state: "stuck", reason, podReasons } as const;
    const row = finding("db", {
      ...{ finding: "ROLLOUT_STUCK", action: "none", ...stuck, podsUnknown: "CLUSTER_FORBIDDEN" },
      restarts: [{ workload: "Deployment/shop", outcome: "already", rollout }],
    });
    expect(problemsOfRow(row)).toEqual([]);
  });

  it.each<[string, object]>([
    ["a field that it does not know", { ...inOrder("db"), password: "hunter2" }],
    ["a refusal without a code", { ...inOrder("db"), action: "refuse", advice: "Wait." }],
    ["an unknown without advice", { ...inOrder("db"), action: "unknown", code: "CLUSTER_UNAVAILABLE" }],
    ["a failure without a code", { ...finding("db"), outcome: "failed", advice: "Wait." }],
    ["a finding that the catalogue does not have", { ...finding("db"), finding: "LOST" }],
    ["an action that is none", { ...finding("db"), action: "repair" }],
    ["an outcome that is none", { ...finding("db"), outcome: "repaired" }],
    ["no finding at all", { ...inOrder("db"), finding: undefined }],
  ])("refuses a row with %s", (_, row) => {
    expect(problemsOfRow(row)).not.toEqual([]);
  });
});

describe("a row that assess makes", () => {
  const ownMetadata = relayMetadata({
    name: "secret-relay",
    accountId: "111122223333",
    region: "eu-west-1",
  } as never);
  const NOW = Date.UTC(2026, 10, 24, 6);
  const rules = { ownMetadata, now: NOW, deletionGraceMs: 86_400_000 };
  const anyTime = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.integer({ min: -7_200_000, max: 90_000_000 }).map((ms) => new Date(NOW + ms).toISOString()),
    fc.string(),
  );
  const names = [...Object.values(ownMetadata.annotations), HOLD_ANNOTATION];
  const annotations = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(anyTime, fc.constantFrom("delete", "password,user", "1")),
  );
  const live = fc.record({
    annotations,
    labels: fc.dictionary(
      fc.constantFrom(ownMetadata.managedLabel, "pay.secret-relay/managed"),
      fc.constantFrom(ownMetadata.identity, "x"),
    ),
    isBeingDeleted: fc.boolean(),
    type: fc.constantFrom("Opaque", "kubernetes.io/tls"),
    immutable: fc.boolean(),
    managedFields: fc.array(
      fc.record({
        manager: fc.constantFrom("secret-relay", "kubectl-edit", "helm"),
        operation: fc.constantFrom("Apply", "Update"),
        subresource: fc.constant(undefined),
        writtenAt: fc.option(fc.date({ min: new Date(0), max: new Date(NOW), noInvalidDate: true }), {
          nil: undefined,
        }),
        fields: fc
          .uniqueArray(
            fc.constantFrom(
              "data.password",
              "data.user",
              "data.debug",
              ...names.map((name) => `metadata.annotations.${name}`),
            ),
          )
          .map((fields) => new Set(fields)),
      }),
      { maxLength: 3 },
    ),
  });
  const state = fc.oneof(
    fc.record({
      kind: fc.constant("current"),
      versionId: fc.uuid(),
      changedAt: fc.option(fc.integer({ min: 0, max: NOW }), { nil: undefined }),
    }),
    fc.constantFrom<object>(
      { kind: "missing" },
      { kind: "without-value" },
      { kind: "scheduled-for-deletion" },
      { kind: "version-missing" },
      { kind: "unknown", code: "SOURCE_FORBIDDEN", advice: "Allow it.", retryable: false },
    ),
  );

  it("follows the schema, for any metadata of the Secret and any state of the source", () => {
    const binding = {
      target: { cluster: "prod", namespace: "shop", name: "db" },
      sources: [{ kind: "name", id: "prod/db" }],
      type: "Opaque",
      labels: {},
      annotations: {},
      fingerprint: "f",
      adopt: false,
    };
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        live,
        state,
        fc.constantFrom("retain", "delete"),
        fc.constantFrom("keep", "remove"),
        (metadata, source, deletionPolicy, foreignKeys) => {
          const secret = { namespace: "shop", name: "db", uid: "u", resourceVersion: "1", ...metadata };
          const observation = {
            binding: { ...binding, deletionPolicy, foreignKeys },
            live: liveTarget(secret as unknown as LiveMetadata),
            sources: [source],
          } as unknown as Observation;
          const verdict = assess(observation, rules);
          seen.add(`${verdict.finding} ${verdict.action}`);

          expect(
            problemsOfRow(
              rowOf(
                { verdict, live: secret as unknown as LiveMetadata, states: [source as never] },
                ownMetadata,
              ),
            ),
          ).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(seen.size).toBeGreaterThan(8);
  });
});
