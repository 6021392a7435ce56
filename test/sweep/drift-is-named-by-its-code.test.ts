import { describe, expect, it } from "vitest";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ManagedFieldsEntry } from "../../shared/cluster/managed-fields.ts";
import type { VersionId } from "../../shared/secret-id/secret-id.ts";
import { diagnoseOrphan, diagnoseTarget, type KnownSource } from "../../shared/sweep/diagnose.ts";
import { bindingOf, FIRST, liveOf, SECOND, sourceOf } from "./factories.ts";

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

describe("of several sources", () => {
  const ALL = { keys: { kind: "all" } } as const;
  const sources = [
    { ...sourceOf("prod/a"), ...ALL },
    { ...sourceOf("prod/b"), stage: "GREEN", ...ALL },
  ] as const;
  const both = bindingOf({}, { sources });
  const deletable = bindingOf({}, { sources, deletionPolicy: "delete" });
  const at = (versionId: VersionId, changedAt?: number): KnownSource => ({
    kind: "current",
    versionId,
    ...(changedAt !== undefined && { changedAt }),
  });
  const held = (binding: Binding, versions: string, overrides: Partial<LiveMetadata> = {}) => {
    const made = liveOf(binding);
    const annotations = { ...made.annotations, "secret-relay/source-versions": versions };
    return { ...made, annotations, ...overrides };
  };
  const synced = held(both, `${FIRST} ${SECOND}`);

  it.each<{
    it: string;
    binding?: Binding;
    live?: LiveMetadata;
    states: KnownSource[];
    want: object | undefined;
  }>([
    { it: "nothing is wrong where each is as noted", states: [at(FIRST), at(SECOND)], want: undefined },
    {
      it: "one that is stale is named, with how long it has been so",
      states: [at(FIRST, NOW), at(FIRST, NOW - 7_000)],
      want: {
        code: "STALE",
        source: "prod/a, prod/b",
        details: {
          liveVersionId: SECOND,
          currentVersionId: FIRST,
          staleMs: 7_000,
          staleSources: [{ source: "prod/b", liveVersionId: SECOND, currentVersionId: FIRST }],
        },
      },
    },
    {
      it: "all that are stale are named, from the longest on",
      states: [at(SECOND, NOW - 3_000), at(FIRST, NOW - 7_000)],
      want: {
        code: "STALE",
        details: { staleMs: 7_000, staleSources: [{ source: "prod/a" }, { source: "prod/b" }] },
      },
    },
    {
      it: "one that is gone is named, and the Secret stays for what the other holds",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [at(FIRST), { kind: "missing" }],
      want: { code: "SOURCE_MISSING", source: "prod/b", remedy: "none" },
    },
    {
      it: "all of them gone may take the Secret along",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [{ kind: "missing" }, { kind: "missing" }],
      want: { code: "SOURCE_MISSING", source: "prod/a, prod/b", remedy: "delete" },
    },
    {
      it: "one that can be restored keeps the Secret, whatever became of the other",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [{ kind: "scheduled-for-deletion" }, { kind: "version-missing" }],
      want: { code: "SOURCE_SCHEDULED_FOR_DELETION", source: "prod/a", remedy: "none" },
    },
    {
      it: "a label that no version has is named, and no reason to delete",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [at(FIRST), { kind: "version-missing" }],
      want: { code: "VERSION_MISSING", source: "prod/b", remedy: "none" },
    },
    {
      it: "a pinned version that may go is told last of all",
      states: [{ kind: "current", versionId: FIRST, isDeprecated: true }, at(SECOND)],
      want: { code: "VERSION_DEPRECATED", source: "prod/a", remedy: "none" },
    },
    {
      it: "what may go hides nothing that is to be repaired",
      live: held(both, `${FIRST} ${FIRST}`),
      states: [{ kind: "current", versionId: FIRST, isDeprecated: true }, at(SECOND)],
      want: { code: "STALE", remedy: "repair" },
    },
    {
      it: "a Secret that was made from one source tells changed rules",
      live: liveOf(SYNCED),
      states: [at(SECOND), at(SECOND)],
      want: { code: "FINGERPRINT_CHANGED" },
    },
    {
      it: "a Secret that was made from several tells changed rules to one",
      binding: SYNCED,
      live: synced,
      states: [at(SECOND)],
      want: { code: "FINGERPRINT_CHANGED" },
    },
  ])("$it", ({ binding = both, live: seen = synced, states, want }) => {
    const found = diagnoseTarget(binding, seen, states, NOW);
    if (want === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(want);
  });

  it("the note of their versions is missed when somebody takes it away", () => {
    const field = "metadata.annotations.secret-relay/source-versions";
    const kept = Object.entries(synced.annotations).filter(([key]) => !field.endsWith(key));
    const annotations = Object.fromEntries(kept);
    const found = diagnoseTarget(
      both,
      { ...synced, annotations, managedFields: without(synced, field) },
      [at(FIRST), at(SECOND)],
      NOW,
    );
    expect(found).toMatchObject({ code: "TAMPERED", details: { fields: [{ field, what: "removed" }] } });
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
