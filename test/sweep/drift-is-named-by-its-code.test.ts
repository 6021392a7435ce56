import { describe, expect, it } from "vitest";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ManagedFieldsEntry } from "../../shared/cluster/managed-fields.ts";
import { diagnoseOrphan, diagnoseTarget, type KnownSource } from "../../shared/sweep/diagnose.ts";
import { bindingOf, FIRST, liveOf, SECOND } from "./factories.ts";

const NOW = Date.UTC(2026, 10, 20, 9, 15, 42);
const AT = "2026-11-20T09:00:00.000Z";
const CURRENT: KnownSource = { kind: "current", versionId: FIRST };
const SYNCED = bindingOf();

const without = (live: LiveMetadata, ...fields: string[]): LiveMetadata["managedFields"] =>
  live.managedFields.map((entry) => ({ ...entry, fields: entry.fields.difference(new Set(fields)) }));

const ownedBy = (manager: string, ...fields: string[]): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  writtenAt: new Date(AT),
  fields: new Set(fields),
});

/** What is left when another client replaced the object: nothing is ours, and it has no annotation of ours. */
const foreign = (binding: Binding, more: Partial<LiveMetadata> = {}) =>
  liveOf(binding, {
    labels: {},
    annotations: {},
    managedFields: [ownedBy("kubectl", "data.password")],
    ...more,
  });

const adopting = bindingOf({}, { adopt: true });
const deleting = bindingOf({}, { deletionPolicy: "delete" });
const live = liveOf(SYNCED);

type Case = {
  it: string;
  binding?: Binding;
  live?: LiveMetadata | undefined;
  source?: KnownSource;
  want: object | undefined;
};

const cases: Case[] = [
  { it: "finds nothing in a Secret as it was applied", want: undefined },
  {
    it: "finds nothing in keys that somebody added",
    live: liveOf(SYNCED, { managedFields: [...live.managedFields, ownedBy("kubectl", "data.extra")] }),
    want: undefined,
  },
  { it: "names a Secret that is not there", live: undefined, want: { code: "MISSING", remedy: "repair" } },
  {
    it: "names a version that is no longer current, with how long at least it has been so",
    source: { kind: "current", versionId: SECOND, changedAt: NOW - 5_000 },
    want: {
      code: "STALE",
      remedy: "repair",
      details: { liveVersionId: FIRST, currentVersionId: SECOND, staleMs: 5_000 },
    },
  },
  {
    it: "never tells a staleness below zero, whatever the clocks say",
    source: { kind: "current", versionId: SECOND, changedAt: NOW + 5_000 },
    want: { code: "STALE", details: { staleMs: 0 } },
  },
  {
    it: "names changed rules",
    binding: bindingOf({}, { labels: { team: "shop", tier: "gold" } }),
    live,
    want: { code: "FINGERPRINT_CHANGED", remedy: "repair" },
  },
  {
    it: "names a changed key, its manager and the time",
    live: liveOf(SYNCED, {
      managedFields: [...without(live, "data.password"), ownedBy("kubectl", "data.password")],
    }),
    want: {
      code: "TAMPERED",
      remedy: "repair",
      details: { fields: [{ field: "data.password", what: "changed", manager: "kubectl", at: AT }] },
    },
  },
  {
    it: "names a removed key, and nobody",
    live: liveOf(SYNCED, { managedFields: without(live, "data.password") }),
    want: { code: "TAMPERED", details: { fields: [{ field: "data.password", what: "removed" }] } },
  },
  {
    it: "names a changed label",
    live: liveOf(SYNCED, { labels: { ...live.labels, team: "other" } }),
    want: { code: "TAMPERED", details: { fields: [{ field: "metadata.labels.team" }] } },
  },
  {
    it: "names the relay's own label removed",
    live: liveOf(SYNCED, {
      labels: { team: "shop" },
      managedFields: without(live, "metadata.labels.secret-relay/managed"),
    }),
    want: { code: "TAMPERED", details: { fields: [{ field: "metadata.labels.secret-relay/managed" }] } },
  },
  {
    it: "names an annotation of the relay's removed",
    live: liveOf(SYNCED, { managedFields: without(live, "metadata.annotations.secret-relay/keys") }),
    want: { code: "TAMPERED", details: { fields: [{ field: "metadata.annotations.secret-relay/keys" }] } },
  },
  {
    it: "names a manager that took all data over",
    binding: adopting,
    live: liveOf(adopting, {
      managedFields: [
        ...without(live, "data.user", "data.password"),
        ownedBy("gitops", "data.user", "data.password"),
      ],
    }),
    want: { code: "TAKEN_OVER", remedy: "repair", details: { fields: [{ manager: "gitops" }, {}] } },
  },
  {
    it: "names a Secret that somebody else made, and leaves it",
    live: foreign(SYNCED),
    want: { code: "NOT_OURS", remedy: "none", refusal: { code: "TARGET_NOT_OURS" } },
  },
  {
    it: "names it as taken over when its annotations say that it was ours once",
    live: foreign(SYNCED, { annotations: live.annotations }),
    want: { code: "TAKEN_OVER", remedy: "none", refusal: { code: "TARGET_NOT_OURS" } },
  },
  {
    it: "takes it over when the binding adopts",
    binding: adopting,
    live: foreign(adopting),
    want: { code: "NOT_OURS", remedy: "repair" },
  },
  {
    it: "names External Secrets Operator's Secret",
    live: foreign(SYNCED, { labels: { "reconcile.external-secrets.io/managed": "true" } }),
    want: { code: "NOT_OURS", refusal: { code: "TARGET_OWNED_BY_EXTERNAL_SECRETS" } },
  },
  {
    it: "names a controller, also where the binding adopts",
    binding: adopting,
    live: liveOf(adopting, { controller: { kind: "SealedSecret", name: "db" } }),
    want: { code: "OWNED_BY_CONTROLLER", remedy: "none" },
  },
  {
    it: "names another type",
    live: liveOf(SYNCED, { type: "kubernetes.io/basic-auth" }),
    want: { code: "TYPE_DIFFERS", remedy: "none", refusal: { code: "TARGET_TYPE_DIFFERS" } },
  },
  {
    it: "names a Secret that a finalizer holds",
    live: liveOf(SYNCED, { isBeingDeleted: true }),
    want: { code: "BEING_DELETED", remedy: "none" },
  },
  {
    it: "keeps the Secret of a source that is gone",
    source: { kind: "missing" },
    want: { code: "SOURCE_MISSING", remedy: "none" },
  },
  {
    it: "deletes the Secret of a source that is gone, when its binding says so",
    binding: deleting,
    live: liveOf(deleting),
    source: { kind: "missing" },
    want: { code: "SOURCE_MISSING", remedy: "delete" },
  },
  {
    it: "but not somebody else's Secret",
    binding: deleting,
    live: foreign(deleting),
    source: { kind: "missing" },
    want: { code: "SOURCE_MISSING", remedy: "none" },
  },
  {
    it: "nor one with the label alone, which anybody can set",
    binding: deleting,
    live: foreign(deleting, { labels: { "secret-relay/managed": "true" } }),
    source: { kind: "missing" },
    want: { code: "SOURCE_MISSING", remedy: "none" },
  },
  {
    it: "nor one that is not there",
    binding: deleting,
    live: undefined,
    source: { kind: "missing" },
    want: { code: "SOURCE_MISSING", remedy: "none" },
  },
  {
    it: "nor that of a source that can be restored",
    binding: deleting,
    live: liveOf(deleting),
    source: { kind: "scheduled-for-deletion" },
    want: { code: "SOURCE_SCHEDULED_FOR_DELETION", remedy: "none" },
  },
];

describe("a sweep by metadata", () => {
  it.each(cases)("$it", (row) => {
    const { binding = SYNCED, source = CURRENT, want } = row;
    const seen = "live" in row ? row.live : liveOf(binding);
    const found = diagnoseTarget(binding, seen, [source], NOW);
    if (want === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(want);
  });
});

describe("a Secret that no binding names", () => {
  const orphan = (kept: LiveMetadata) => diagnoseOrphan("main", kept);

  it("is an orphan, told with its source, and kept", () => {
    expect(orphan(live)).toMatchObject({
      code: "ORPHAN",
      target: { cluster: "main", namespace: "app", name: "db" },
      source: expect.stringContaining("prod/db"),
      remedy: "none",
    });
  });

  it("is deleted when its binding had said so", () => {
    expect(orphan(liveOf(deleting))).toMatchObject({ code: "ORPHAN", remedy: "delete" });
  });

  const notOurs: [string, LiveMetadata][] = [
    ["lacks our label", liveOf(deleting, { labels: {} })],
    ["lacks our field manager", liveOf(deleting, { managedFields: [ownedBy("secret-relay", "data.x")] })],
    ["a controller reconciles", liveOf(deleting, { controller: { kind: "App", name: "shop" } })],
    ["is being deleted already", liveOf(deleting, { isBeingDeleted: true })],
  ];
  it.each(notOurs)("is none when it %s", (_why, secret) => expect(orphan(secret)).toBeUndefined());
});
