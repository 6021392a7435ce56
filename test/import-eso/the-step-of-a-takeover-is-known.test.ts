import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExternalSecretState, takeoverOf } from "../../cli/import-eso/takeover.ts";
import { type LiveMetadata, parseLiveMetadata } from "../../shared/cluster/live-secret.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const MANAGED = "reconcile.external-secrets.io/managed";
const DATA_HASH = "reconcile.external-secrets.io/data-hash";

type Parts = {
  readonly owner?: string;
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  /** The keys, labels and annotations that each manager owns. */
  readonly operator?: object;
  readonly relay?: object;
};

const leaves = (names: readonly string[] = []) => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
const mapOf = (names: readonly string[] = []) => Object.fromEntries(names.map((name) => [name, "true"]));

function secret({ owner, labels, annotations, operator, relay }: Parts): LiveMetadata {
  const entry = (manager: string, operation: string, fieldsV1: object) => ({ manager, operation, fieldsV1 });
  return parseLiveMetadata({
    namespace: "shop",
    name: "db",
    labels: mapOf(labels),
    annotations: mapOf(annotations),
    managedFields: [
      ...(operator ? [entry("externalsecrets.external-secrets.io/db", "Update", operator)] : []),
      ...(relay ? [entry("secret-relay", "Apply", relay)] : []),
    ],
    ...(owner !== undefined && {
      ownerReferences: [{ apiVersion: "v1", kind: owner, name: "its-owner", uid: "1", controller: true }],
    }),
  });
}

const operatorOwns = {
  "f:data": leaves(["password"]),
  "f:metadata": { "f:labels": leaves([MANAGED]), "f:annotations": leaves([DATA_HASH]) },
};
const noted = { labels: [MANAGED], annotations: [DATA_HASH] };
const relayOwns = { "f:data": leaves(["password"]), "f:metadata": { "f:labels": leaves(["team"]) } };

const exists = (more: object = {}): ExternalSecretState => ({
  kind: "exists",
  name: "db",
  creationPolicy: "Orphan",
  isBeingDeleted: false,
  ...more,
});
const GONE: ExternalSecretState = { kind: "gone" };
const UNKNOWN: ExternalSecretState = { kind: "unknown" };

const judge = (parts: Parts, externalSecret: ExternalSecretState, isSame = true, more: object = PUBLISHED) =>
  takeoverOf(secret(parts), externalSecret, { ownMetadata: RELAY_METADATA, isSame, ...more });
const PUBLISHED = { isPublished: true };

describe("the step", () => {
  const patch = (what: string, spec: object) =>
    `kubectl patch ${what} --type merge -p '${JSON.stringify({ spec })}'`;
  const orphan = { target: { creationPolicy: "Orphan" } };

  it.each<{ it: string; parts: Parts; external: ExternalSecretState; step?: string; next?: unknown[] }>([
    {
      it: "owned: the operator has its owner reference",
      parts: { owner: "ExternalSecret", ...noted, operator: operatorOwns },
      external: exists({ creationPolicy: "Owner" }),
      step: "owned",
      next: [patch("externalsecret db -n shop", orphan)],
    },
    {
      it: "owned: a ClusterExternalSecret makes the ExternalSecret",
      parts: { owner: "ExternalSecret", ...noted, operator: operatorOwns },
      external: exists({ creationPolicy: "Owner", madeBy: "all" }),
      step: "owned",
      next: [patch("clusterexternalsecret all", { externalSecretSpec: orphan })],
    },
    {
      it: "owned: the policy has changed, and the owner reference not yet",
      parts: { owner: "ExternalSecret", ...noted, operator: operatorOwns },
      external: exists(),
      step: "owned",
      next: [expect.stringMatching(/^wait until the operator removes its owner reference: kubectl describe/)],
    },
    {
      it: "owned: without the permission to list ExternalSecrets",
      parts: { owner: "ExternalSecret", ...noted, operator: operatorOwns },
      external: UNKNOWN,
      step: "owned",
      next: [expect.stringContaining("kubectl get externalsecrets -n shop")],
    },
    {
      it: "owned: the policy is Owner again, and the operator will take the Secret at its next refresh",
      parts: { ...noted, relay: relayOwns },
      external: exists({ creationPolicy: "Owner" }),
      step: "owned",
      next: [patch("externalsecret db -n shop", orphan)],
    },
    {
      it: "released: an Orphan Secret has the operator's label and no owner reference",
      parts: { ...noted, operator: operatorOwns },
      external: exists(),
      step: "released",
      next: ["secret-relay sync shop/db"],
    },
    {
      it: "released: the ExternalSecret is gone already",
      parts: { ...noted, operator: operatorOwns },
      external: GONE,
      step: "released",
      next: ["secret-relay sync shop/db"],
    },
    {
      it: "released: only the ExternalSecret shows that the operator will write it",
      parts: {},
      external: exists({ creationPolicy: "Merge" }),
      step: "released",
      next: ["secret-relay sync shop/db"],
    },
    {
      it: "taken: the relay writes it, and the ExternalSecret exists",
      parts: { ...noted, relay: relayOwns },
      external: exists(),
      step: "taken",
      next: ["kubectl delete externalsecret db -n shop # when every Secret you take over is taken"],
    },
    {
      it: "taken: the ExternalSecret waits for the operator's finalizer",
      parts: { ...noted, relay: relayOwns },
      external: exists({ isBeingDeleted: true }),
      step: "taken",
      next: [expect.stringMatching(/^wait until the operator removes its finalizer: kubectl describe/)],
    },
    {
      it: "taken: a ClusterExternalSecret makes the ExternalSecret",
      parts: { ...noted, relay: relayOwns },
      external: exists({ madeBy: "all" }),
      step: "taken",
      next: [expect.stringMatching(/^kubectl delete clusterexternalsecret all /)],
    },
    {
      it: "taken: the ExternalSecret may exist, as the operator's label does",
      parts: { ...noted, relay: relayOwns },
      external: UNKNOWN,
      step: "taken",
      next: [expect.stringContaining("kubectl get externalsecrets -n shop")],
    },
    {
      it: "leftovers: the operator's label and digest",
      parts: { ...noted, relay: relayOwns },
      external: GONE,
      step: "leftovers",
      next: [
        `kubectl annotate secret db -n shop ${DATA_HASH}-`,
        `kubectl label secret db -n shop ${MANAGED}-`,
      ],
    },
    {
      it: "leftovers: an annotation that the operator copied from the ExternalSecret",
      parts: {
        annotations: ["note"],
        operator: { "f:metadata": { "f:annotations": leaves(["note"]) } },
        relay: relayOwns,
      },
      external: GONE,
      step: "leftovers",
      next: ["kubectl annotate secret db -n shop note-"],
    },
    {
      it: "leftovers: a key that the operator wrote after the relay",
      parts: { ...noted, operator: operatorOwns, relay: relayOwns },
      external: GONE,
      step: "leftovers",
      next: ["secret-relay sync shop/db"],
    },
    { it: "finished", parts: { relay: relayOwns }, external: GONE, step: "finished", next: [] },
    {
      it: "finished: the operator would have put its label back",
      parts: { relay: relayOwns },
      external: UNKNOWN,
      step: "finished",
      next: [],
    },
    { it: "none: another controller owns it", parts: { owner: "SealedSecret" }, external: GONE },
    { it: "none: neither the operator nor the relay writes it", parts: { labels: ["team"] }, external: GONE },
  ])("$it", ({ parts, external, step, next }) => {
    const takeover = judge(parts, external);
    expect([takeover?.step, takeover?.next]).toEqual([step, next]);
  });

  it("owned: publishes the bindings before the operator lets go of the Secret", () => {
    const nextIf = (more: object) =>
      judge({ owner: "ExternalSecret", ...noted }, exists({ creationPolicy: "Owner" }), true, more)?.next;
    const release = patch("externalsecret db -n shop", orphan);

    expect(nextIf({ isPublished: true })).toEqual([release]);
    expect(nextIf({ isPublished: false })).toEqual(["secret-relay publish"]);
    expect(nextIf({})).toEqual(["secret-relay publish # unless these bindings are published", release]);
  });

  it("has no next command while the Secret differs from its binding and the operator writes it", () => {
    expect(judge({ ...noted, operator: operatorOwns }, exists(), false)).toMatchObject({
      step: "released",
      next: [],
    });
    expect(judge({ ...noted, relay: relayOwns }, GONE, false)?.next).toHaveLength(2);
  });
});

describe("in any state", () => {
  const anyNames = fc.subarray([MANAGED, DATA_HASH, "team", "note", "x;y", "$(id)"]);
  const anyFields = fc.record({
    "f:data": fc.subarray(["password", "user", "a b", "$(id)"]).map(leaves),
    "f:metadata": fc.record({ "f:labels": anyNames.map(leaves), "f:annotations": anyNames.map(leaves) }),
  });
  const anyParts = fc.record(
    {
      owner: fc.constantFrom("ExternalSecret", "SealedSecret"),
      labels: anyNames,
      annotations: anyNames,
      operator: anyFields,
      relay: anyFields,
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Parts>;
  const anyExternal = fc.oneof(
    fc.constantFrom(GONE, UNKNOWN),
    fc
      .record({
        creationPolicy: fc.constantFrom("Owner", "Orphan", "Merge"),
        isBeingDeleted: fc.boolean(),
      })
      .map(exists),
  );
  const property = (check: (parts: Parts, external: ExternalSecretState, isSame: boolean) => void) =>
    fc.assert(fc.property(anyParts, anyExternal, fc.boolean(), check), { numRuns: runs(300) });

  it("an owner reference or a policy of Owner is never past", () =>
    property((parts, external) => {
      const isOwned = external.kind === "exists" && external.creationPolicy === "Owner";
      if (parts.owner === "ExternalSecret" || (isOwned && parts.owner === undefined)) {
        expect(judge(parts, external)?.step).toBe("owned");
      }
    }));

  it("a deletion is advised only when the relay writes the Secret and no owner reference is left", () =>
    property((parts, external, isSame) => {
      const next = judge(parts, external, isSame)?.next ?? [];
      if (!next.some((command) => command.startsWith("kubectl delete"))) return;
      expect(parts.relay).toBeDefined();
      expect(parts.owner).toBeUndefined();
    }));

  it("only a finished takeover has nothing left and nothing to do", () =>
    property((parts, external) => {
      const takeover = judge(parts, external);
      if (takeover?.step === "finished") expect(takeover).toMatchObject({ leftovers: [], next: [] });
      else if (takeover !== undefined) expect(takeover.next).not.toEqual([]);
    }));

  it("a command contains no character that a shell reads outside of quotes", () =>
    property((parts, external) => {
      for (const command of judge(parts, external)?.next ?? []) {
        expect(command.replace(/'[^']*'/g, "")).toMatch(/^[\w ./:#-]+$/);
      }
    }));
});
