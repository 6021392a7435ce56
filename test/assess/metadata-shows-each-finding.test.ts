import { describe, expect, it } from "vitest";
import { assess, assessOrphan } from "../../shared/assess/assess.ts";
import { liveTarget } from "../../shared/assess/observation.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import { HOLD_ANNOTATION } from "../../shared/bindings/relay-identity.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ManagedFieldsEntry } from "../../shared/cluster/managed-fields.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { bindingOf, FIRST, liveOf, SECOND, sourceOf } from "../sweep/factories.ts";

const NOW = Date.UTC(2026, 10, 20, 9, 15, 42);
const DAY_MS = 86_400_000;
const RULES = { ownMetadata: RELAY_METADATA, now: NOW, deletionGraceMs: DAY_MS };
const AT = "2026-11-20T09:00:00.000Z";
const CURRENT: SourceState = { kind: "current", versionId: FIRST };
const SYNCED = bindingOf();

const without = (live: LiveMetadata, ...fields: string[]): LiveMetadata["managedFields"] =>
  live.managedFields.map((entry) => ({ ...entry, fields: entry.fields.difference(new Set(fields)) }));

const ownedBy = (manager: string, ...fields: string[]): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  writtenAt: new Date(AT),
  fields: new Set(fields),
});

/** A Secret of another client: no field, label or annotation of the relay. */
const foreign = (binding: Binding, more: Partial<LiveMetadata> = {}) =>
  liveOf(binding, {
    labels: {},
    annotations: {},
    managedFields: [ownedBy("kubectl", "data.password")],
    ...more,
  });

const adopting = bindingOf({}, { adopt: true });
const deleting = bindingOf({}, { deletionPolicy: "delete" });
const sharing = bindingOf({}, { ownership: "keys" });
const misspelt = bindingOf(
  {},
  { deletionPolicy: "delete", sources: [{ ...sourceOf("prod/bd"), keys: { kind: "all" } }] },
);
const edited = (binding: Binding, takeBacks: readonly number[] = []): LiveMetadata => {
  const secret = liveOf(binding);
  const times = takeBacks.map((msAgo) => new Date(NOW - msAgo).toISOString()).join(" ");
  return {
    ...secret,
    annotations: { ...secret.annotations, ...(times && { [RELAY_METADATA.annotations.takeBacks]: times }) },
    managedFields: [...without(secret, "data.password"), ownedBy("kubectl", "data.password")],
  };
};
const MINUTE_MS = 60_000;
const live = liveOf(SYNCED);

const IN_ORDER = { finding: null, action: "none", details: {} };

/** The Secret with the gone-since annotation of a sweep. */
const noted = (secret: LiveMetadata, msAgo: number, writtenMsAgo = 30 * DAY_MS): LiveMetadata => ({
  ...secret,
  annotations: {
    ...secret.annotations,
    [RELAY_METADATA.annotations.writtenAt]: new Date(NOW - writtenMsAgo).toISOString(),
    [RELAY_METADATA.annotations.goneSince]: new Date(NOW - msAgo).toISOString(),
  },
});

type Case = {
  it: string;
  binding?: Binding;
  live?: LiveMetadata | undefined;
  source?: SourceState;
  want: object | undefined;
};

const cases: Case[] = [
  { it: "finds nothing in a Secret as it was applied", want: undefined },
  {
    it: "names keys that another manager added, and keeps them",
    live: liveOf(SYNCED, { managedFields: [...live.managedFields, ownedBy("kubectl", "data.extra")] }),
    want: {
      finding: "FOREIGN_KEYS",
      action: "none",
      details: { foreignKeys: [{ key: "extra", manager: "kubectl" }] },
    },
  },
  {
    it: "removes them if the binding has foreignKeys: remove",
    binding: bindingOf({}, { foreignKeys: "remove" }),
    live: liveOf(SYNCED, { managedFields: [...live.managedFields, ownedBy("kubectl", "data.extra")] }),
    want: {
      finding: "FOREIGN_KEYS",
      action: "update",
      details: { foreignKeys: [{ key: "extra", manager: "kubectl" }] },
    },
  },
  {
    it: "ignores other keys in a shared Secret",
    binding: sharing,
    live: liveOf(sharing, { managedFields: [...live.managedFields, ownedBy("kubectl", "data.extra")] }),
    want: undefined,
  },
  { it: "reports an absent Secret", live: undefined, want: { finding: "MISSING", action: "create" } },
  {
    it: "reports a version that is no longer current, with the least time since",
    source: { kind: "current", versionId: SECOND, changedAt: NOW - 5_000 },
    want: {
      finding: "STALE",
      action: "update",
      details: { liveVersionId: FIRST, currentVersionId: SECOND, staleMs: 5_000 },
    },
  },
  {
    it: "never reports a negative staleness, for any clocks",
    source: { kind: "current", versionId: SECOND, changedAt: NOW + 5_000 },
    want: { finding: "STALE", details: { staleMs: 0 } },
  },
  {
    it: "names changed rules",
    binding: bindingOf({}, { labels: { team: "shop", tier: "gold" } }),
    live,
    want: { finding: "FINGERPRINT_CHANGED", action: "update" },
  },
  {
    it: "names a changed key, its manager and the time",
    live: liveOf(SYNCED, {
      managedFields: [...without(live, "data.password"), ownedBy("kubectl", "data.password")],
    }),
    want: {
      finding: "TAMPERED",
      action: "update",
      details: { fields: [{ field: "data.password", what: "changed", manager: "kubectl", at: AT }] },
    },
  },
  {
    it: "names a removed key without a manager",
    live: liveOf(SYNCED, { managedFields: without(live, "data.password") }),
    want: { finding: "TAMPERED", details: { fields: [{ field: "data.password", what: "removed" }] } },
  },
  {
    it: "names a changed label",
    live: liveOf(SYNCED, { labels: { ...live.labels, team: "other" } }),
    want: { finding: "TAMPERED", details: { fields: [{ field: "metadata.labels.team" }] } },
  },
  {
    it: "names the relay's own label removed",
    live: liveOf(SYNCED, {
      labels: { team: "shop" },
      managedFields: without(live, "metadata.labels.secret-relay/managed"),
    }),
    want: { finding: "TAMPERED", details: { fields: [{ field: "metadata.labels.secret-relay/managed" }] } },
  },
  {
    it: "names an annotation of the relay's removed",
    live: liveOf(SYNCED, { managedFields: without(live, "metadata.annotations.secret-relay/keys") }),
    want: { finding: "TAMPERED", details: { fields: [{ field: "metadata.annotations.secret-relay/keys" }] } },
  },
  {
    it: "names a manager that took all keys",
    binding: adopting,
    live: liveOf(adopting, {
      managedFields: [
        ...without(live, "data.user", "data.password"),
        ownedBy("gitops", "data.user", "data.password"),
      ],
    }),
    want: { finding: "TAKEN_OVER", action: "update", details: { fields: [{ manager: "gitops" }, {}] } },
  },
  {
    it: "refuses a Secret that another client created",
    live: foreign(SYNCED),
    want: { finding: "NOT_OURS", action: "refuse", code: "TARGET_NOT_OURS" },
  },
  {
    it: "reports it as taken over when its annotations show that it was the relay's",
    live: foreign(SYNCED, { annotations: live.annotations }),
    want: { finding: "TAKEN_OVER", action: "refuse", code: "TARGET_NOT_OURS" },
  },
  {
    it: "takes it over when the binding adopts",
    binding: adopting,
    live: foreign(adopting),
    want: { finding: "NOT_OURS", action: "update" },
  },
  {
    it: "refuses a Secret of External Secrets Operator",
    live: foreign(SYNCED, { labels: { "reconcile.external-secrets.io/managed": "true" } }),
    want: { finding: "NOT_OURS", action: "refuse", code: "TARGET_OWNED_BY_EXTERNAL_SECRETS" },
  },
  {
    it: "refuses a Secret with a controller, even with adopt",
    binding: adopting,
    live: liveOf(adopting, { controller: { kind: "SealedSecret", name: "db" } }),
    want: { finding: "OWNED_BY_CONTROLLER", action: "refuse" },
  },
  {
    it: "refuses another type",
    live: liveOf(SYNCED, { type: "kubernetes.io/basic-auth" }),
    want: { finding: "TYPE_DIFFERS", action: "refuse", code: "TARGET_TYPE_DIFFERS" },
  },
  {
    it: "refuses a Secret that a finalizer keeps",
    live: liveOf(SYNCED, { isBeingDeleted: true }),
    want: { finding: "BEING_DELETED", action: "refuse" },
  },
  {
    it: "keeps the Secret of a source that is gone",
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse" },
  },
  {
    it: "annotates that a source is gone, with deletionPolicy: delete",
    binding: deleting,
    live: liveOf(deleting),
    source: { kind: "missing" },
    want: {
      finding: "SOURCE_MISSING",
      action: "none",
      note: "gone",
      deleteAfter: new Date(NOW + DAY_MS).toISOString(),
    },
  },
  {
    it: "does not annotate a Secret of another client",
    binding: deleting,
    live: foreign(deleting),
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse" },
  },
  {
    it: "does not annotate a Secret with only the label, which any client can set",
    binding: deleting,
    live: foreign(deleting, { labels: { [RELAY_METADATA.managedLabel]: RELAY_METADATA.identity } }),
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse" },
  },
  {
    it: "does not annotate an absent Secret",
    binding: deleting,
    live: undefined,
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse" },
  },
  {
    it: "does not delete before the grace period is over",
    binding: deleting,
    live: noted(liveOf(deleting), DAY_MS - 1),
    source: { kind: "missing" },
    want: {
      finding: "SOURCE_MISSING",
      action: "none",
      deleteAfter: new Date(NOW + 1).toISOString(),
    },
  },
  {
    it: "deletes once the grace period is over",
    binding: deleting,
    live: noted(liveOf(deleting), DAY_MS),
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "delete" },
  },
  {
    it: "restarts the grace period when the Secret was written since",
    binding: deleting,
    live: noted(liveOf(deleting), 3 * DAY_MS, DAY_MS),
    source: { kind: "missing" },
    want: { action: "none", note: "gone", deleteAfter: new Date(NOW + DAY_MS).toISOString() },
  },
  {
    it: "ignores an annotation from the future",
    binding: deleting,
    live: noted(liveOf(deleting), -DAY_MS),
    source: { kind: "missing" },
    want: { action: "none", note: "gone", deleteAfter: new Date(NOW + DAY_MS).toISOString() },
  },
  {
    it: "removes the annotation when the source has returned",
    binding: deleting,
    live: noted(liveOf(deleting), 3 * DAY_MS),
    want: { finding: null, action: "none", note: "returned" },
  },
  {
    it: "removes the annotation also when the source has no value yet",
    binding: deleting,
    live: noted(liveOf(deleting), 3 * DAY_MS),
    source: { kind: "without-value" },
    want: { finding: "SOURCE_WITHOUT_VALUE", action: "refuse", note: "returned" },
  },
  {
    it: "never deletes when the Secret was made from another source",
    binding: misspelt,
    live: noted(liveOf(deleting), 3 * DAY_MS),
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
  },
  {
    it: "never deletes a shared Secret",
    binding: { ...deleting, ownership: "keys" },
    live: noted(liveOf(deleting), 3 * DAY_MS),
    source: { kind: "missing" },
    want: { finding: "SOURCE_MISSING", action: "refuse" },
  },
  {
    it: "has no finding when the source is unknown",
    live: undefined,
    source: { kind: "unknown", code: "SOURCE_THROTTLED", advice: "Wait.", retryable: true },
    want: { finding: null, action: "unknown", code: "SOURCE_THROTTLED", advice: "Wait." },
  },
  {
    it: "refuses a Secret of another installation, even with adopt",
    binding: adopting,
    live: liveOf(adopting, {
      labels: { [RELAY_METADATA.managedLabel]: "secret-relay.999988887777.eu-west-1" },
    }),
    want: {
      finding: "OWNED_BY_ANOTHER_RELAY",
      action: "refuse",
      code: "TARGET_OWNED_BY_ANOTHER_RELAY",
      advice: expect.stringContaining("secret-relay.999988887777.eu-west-1"),
    },
  },
  {
    it: "refuses a Secret of a relay with another name",
    live: liveOf(SYNCED, {
      labels: { ...live.labels, "pay.secret-relay/managed": "pay.111122223333.eu-west-1" },
    }),
    want: { finding: "OWNED_BY_ANOTHER_RELAY", action: "refuse" },
  },
  {
    it: "shares a Secret with a relay with another name",
    binding: sharing,
    live: liveOf(sharing, {
      labels: { ...live.labels, "pay.secret-relay/managed": "pay.111122223333.eu-west-1" },
    }),
    want: undefined,
  },
  {
    it: "requires a claim when managedFields no longer names the relay",
    live: foreign(SYNCED, { labels: live.labels, annotations: live.annotations }),
    want: { finding: "UNCLAIMED", action: "refuse", code: "TARGET_UNCLAIMED" },
  },
  {
    it: "takes such a Secret back when the binding adopts",
    binding: adopting,
    live: foreign(adopting, { labels: live.labels, annotations: live.annotations }),
    want: { finding: "TAKEN_OVER", action: "update" },
  },
  {
    it: "reverts an edit a third time",
    live: edited(SYNCED, [20 * MINUTE_MS, 10 * MINUTE_MS]),
    want: { finding: "TAMPERED", action: "update" },
  },
  {
    it: "stops after three times within an hour, and names the other manager",
    live: edited(SYNCED, [50 * MINUTE_MS, 20 * MINUTE_MS, 10 * MINUTE_MS]),
    want: {
      finding: "TAMPERED",
      action: "refuse",
      code: "CONTESTED",
      advice: expect.stringContaining("kubectl"),
    },
  },
  {
    it: "reverts edits again after an hour",
    live: edited(SYNCED, [61 * MINUTE_MS, 20 * MINUTE_MS, 10 * MINUTE_MS]),
    want: { finding: "TAMPERED", action: "update" },
  },
  {
    it: "writes a rotation of a contested Secret",
    live: edited(SYNCED, [50 * MINUTE_MS, 20 * MINUTE_MS, 10 * MINUTE_MS]),
    source: { kind: "current", versionId: SECOND },
    want: { finding: "STALE", action: "update" },
  },
  {
    it: "does not annotate when the source can be restored",
    binding: deleting,
    live: liveOf(deleting),
    source: { kind: "scheduled-for-deletion" },
    want: { finding: "SOURCE_SCHEDULED_FOR_DELETION", action: "refuse" },
  },
];

describe("an assessment of metadata", () => {
  it.each(cases)("$it", (row) => {
    const { binding = SYNCED, source = CURRENT, want } = row;
    const seen = "live" in row ? row.live : liveOf(binding);
    const verdict = assess({ binding, live: liveTarget(seen), sources: [source] }, RULES);
    expect(verdict).toMatchObject(want ?? IN_ORDER);
    expect(verdict.observed).toBe("metadata");
  });
});

describe("a held Secret", () => {
  const HOUR_MS = 3_600_000;
  const held = (until: string, setMsAgo = 0, secret = edited(SYNCED)): LiveMetadata => ({
    ...secret,
    annotations: { ...secret.annotations, [HOLD_ANNOTATION]: until },
    managedFields: [
      ...secret.managedFields,
      {
        ...ownedBy("kubectl-annotate", `metadata.annotations.${HOLD_ANNOTATION}`),
        writtenAt: new Date(NOW - setMsAgo),
      },
    ],
  });
  const iso = (msFromNow: number) => new Date(NOW + msFromNow).toISOString();
  const assessHeld = (secret: LiveMetadata, source: SourceState = CURRENT) =>
    assess({ binding: SYNCED, live: liveTarget(secret), sources: [source] }, RULES);

  it.each<[it: string, until: string, setMsAgo?: number]>([
    ["for an hour", iso(HOUR_MS)],
    ["for 24 hours", iso(24 * HOUR_MS)],
    ["until a time with an offset", "2026-11-20T12:00:00+02:00"],
    ["for 24 hours, most of which have passed", iso(HOUR_MS), 23 * HOUR_MS],
  ])("%s is not written, and its finding stays visible", (_it, until, setMsAgo) => {
    const verdict = assessHeld(held(until, setMsAgo));
    expect(verdict).toMatchObject({
      finding: "TAMPERED",
      action: "refuse",
      code: "HELD",
      until: new Date(until).toISOString(),
    });
    expect(verdict).not.toHaveProperty("write");
  });

  it("is not even written for a rotation", () => {
    const rotated: SourceState = { kind: "current", versionId: SECOND };
    expect(assessHeld(held(iso(HOUR_MS)), rotated)).toMatchObject({
      finding: "STALE",
      action: "refuse",
      code: "HELD",
    });
  });

  it.each<[it: string, until: string, setMsAgo?: number]>([
    ["has passed", iso(-1)],
    ["is now", iso(0)],
    ["is more than 24 hours after it was set", iso(24 * HOUR_MS + 2 * MINUTE_MS)],
    ["is more than 24 hours after it was set long ago", iso(HOUR_MS), 24 * HOUR_MS],
    ["is a date without a time", "2026-11-21"],
    ["is a time without a zone", "2026-11-20T12:00:00"],
    ["is a word", "tomorrow"],
    ["is empty", ""],
    ["is in year 9999", "9999-12-31T23:59:59Z"],
  ])("is not held until a time that %s", (_it, until, setMsAgo) => {
    expect(assessHeld(held(until, setMsAgo))).toMatchObject({ finding: "TAMPERED", action: "update" });
  });
});

describe("with several sources", () => {
  const ALL = { keys: { kind: "all" } } as const;
  const sources = [
    { ...sourceOf("prod/a"), ...ALL },
    { ...sourceOf("prod/b"), stage: "GREEN", ...ALL },
  ] as const;
  const both = bindingOf({}, { sources });
  const deletable = bindingOf({}, { sources, deletionPolicy: "delete" });
  const at = (versionId: VersionId, changedAt?: number): SourceState => ({
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
    states: SourceState[];
    want: object | undefined;
  }>([
    {
      it: "there is no finding if each version is the recorded one",
      states: [at(FIRST), at(SECOND)],
      want: undefined,
    },
    {
      it: "a stale source is named, with the time since",
      states: [at(FIRST, NOW), at(FIRST, NOW - 7_000)],
      want: {
        finding: "STALE",
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
      it: "all stale sources are named, with the longest time",
      states: [at(SECOND, NOW - 3_000), at(FIRST, NOW - 7_000)],
      want: {
        finding: "STALE",
        details: { staleMs: 7_000, staleSources: [{ source: "prod/a" }, { source: "prod/b" }] },
      },
    },
    {
      it: "a missing source is named, and the Secret stays for the other source",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [at(FIRST), { kind: "missing" }],
      want: { finding: "SOURCE_MISSING", source: "prod/b", action: "refuse" },
    },
    {
      it: "all sources missing may delete the Secret",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [{ kind: "missing" }, { kind: "missing" }],
      want: { finding: "SOURCE_MISSING", source: "prod/a, prod/b", action: "none", note: "gone" },
    },
    {
      it: "a source that can be restored keeps the Secret",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [{ kind: "scheduled-for-deletion" }, { kind: "version-missing" }],
      want: { finding: "SOURCE_SCHEDULED_FOR_DELETION", source: "prod/a", action: "refuse" },
    },
    {
      it: "a staging label without a version is reported, and does not delete",
      binding: deletable,
      live: held(deletable, `${FIRST} ${SECOND}`),
      states: [at(FIRST), { kind: "version-missing" }],
      want: { finding: "VERSION_MISSING", source: "prod/b", action: "refuse" },
    },
    {
      it: "a deprecated pinned version is reported last",
      states: [{ kind: "current", versionId: FIRST, isDeprecated: true }, at(SECOND)],
      want: { finding: "VERSION_DEPRECATED", source: "prod/a", action: "none" },
    },
    {
      it: "a deprecated version does not hide drift",
      live: held(both, `${FIRST} ${FIRST}`),
      states: [{ kind: "current", versionId: FIRST, isDeprecated: true }, at(SECOND)],
      want: { finding: "STALE", action: "update" },
    },
    {
      it: "a Secret made from one source reports changed rules",
      live: liveOf(SYNCED),
      states: [at(SECOND), at(SECOND)],
      want: { finding: "FINGERPRINT_CHANGED" },
    },
    {
      it: "a Secret made from several sources reports changed rules for one",
      binding: SYNCED,
      live: synced,
      states: [at(SECOND)],
      want: { finding: "FINGERPRINT_CHANGED" },
    },
  ])("$it", ({ binding = both, live: seen = synced, states, want }) => {
    const verdict = assess({ binding, live: liveTarget(seen), sources: states }, RULES);
    expect(verdict).toMatchObject(want ?? IN_ORDER);
  });

  it("a removed annotation of their versions is reported", () => {
    const field = "metadata.annotations.secret-relay/source-versions";
    const kept = Object.entries(synced.annotations).filter(([key]) => !field.endsWith(key));
    const annotations = Object.fromEntries(kept);
    const secret = { ...synced, annotations, managedFields: without(synced, field) };
    const verdict = assess(
      { binding: both, live: liveTarget(secret), sources: [at(FIRST), at(SECOND)] },
      RULES,
    );
    expect(verdict).toMatchObject({ finding: "TAMPERED", details: { fields: [{ field, what: "removed" }] } });
  });
});

describe("a Secret without a binding", () => {
  const orphan = (kept: LiveMetadata) => assessOrphan("main", kept, RULES);

  it("is an orphan, reported with its source, and kept", () => {
    expect(orphan(live)).toMatchObject({
      finding: "ORPHAN",
      target: { cluster: "main", namespace: "app", name: "db" },
      source: expect.stringContaining("prod/db"),
      action: "none",
    });
  });

  it("is annotated when its binding had deletionPolicy: delete, and deleted after the grace period", () => {
    const first = orphan(liveOf(deleting));
    expect(first).toMatchObject({
      finding: "ORPHAN",
      action: "none",
      note: "gone",
      deleteAfter: new Date(NOW + DAY_MS).toISOString(),
    });
    const early = orphan(noted(liveOf(deleting), DAY_MS - 1));
    expect(early).toMatchObject({ action: "none", deleteAfter: new Date(NOW + 1).toISOString() });
    expect(early).not.toHaveProperty("note");
    expect(orphan(noted(liveOf(deleting), DAY_MS))).toMatchObject({ finding: "ORPHAN", action: "delete" });
  });

  it("is kept while an operator holds it", () => {
    const held = noted(liveOf(deleting), 2 * DAY_MS);
    const until = new Date(NOW + 3_600_000).toISOString();
    const annotations = { ...held.annotations, [HOLD_ANNOTATION]: until };
    expect(orphan({ ...held, annotations })).toMatchObject({
      finding: "ORPHAN",
      action: "refuse",
      code: "HELD",
      until,
    });
  });

  const notOurs: [string, LiveMetadata][] = [
    ["lacks the relay's label", liveOf(deleting, { labels: {} })],
    [
      "has the identity of another relay",
      liveOf(deleting, { labels: { [RELAY_METADATA.managedLabel]: "secret-relay.999988887777.eu-west-1" } }),
    ],
    [
      "lacks the relay's field manager",
      liveOf(deleting, { managedFields: [ownedBy("secret-relay", "data.x")] }),
    ],
    ["has a controller", liveOf(deleting, { controller: { kind: "App", name: "shop" } })],
    ["is being deleted already", liveOf(deleting, { isBeingDeleted: true })],
  ];
  it.each(notOurs)("is not an orphan when it %s", (_why, secret) => expect(orphan(secret)).toBeUndefined());
});
