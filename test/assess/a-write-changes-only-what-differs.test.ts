import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../shared/assess/assess.ts";
import { liveTarget } from "../../shared/assess/observation.ts";
import type { Verdict } from "../../shared/assess/verdict.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { parseManagedFields } from "../../shared/cluster/managed-fields.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { applyBody } from "../../shared/sync/apply-body.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { bindingOf } from "../sweep/factories.ts";
import { CANARY, type DesiredText, desiredOf, foreignLive, liveAfter, NOW } from "./factories.ts";

/** The verdict with the values of source and live Secret. */
const assessValues = (
  live: LiveSecret | undefined,
  desired: DesiredSecret,
  rules: Partial<Binding>,
): Verdict => {
  const binding = bindingOf({}, { labels: {}, type: desired.type, ...rules });
  const sources = [{ kind: "current", versionId: desired.versionId } as const];
  return assess(
    { binding, live: liveTarget(live), sources, desired },
    { ownMetadata: RELAY_METADATA, now: NOW, deletionGraceMs: 86_400_000 },
  );
};

const IN_ORDER = { finding: null, action: "none" };

const changesOf = ({ action, write }: Verdict) =>
  action === "update" ? (write?.changes ?? []).map(({ field, what }) => `${what} ${field}`) : action;

/** Removes a field from the relay's entry, as an update by another manager does. */
const disowned = (live: LiveSecret, field: string): LiveSecret => ({
  ...live,
  managedFields: live.managedFields.map((entry) => ({
    ...entry,
    fields: new Set([...entry.fields].filter((owned) => owned !== field)),
  })),
});

const CAREFUL = { adopt: false };
const LABEL = `metadata.labels.${RELAY_METADATA.managedLabel}`;
const NOTES = { annotations: RELAY_METADATA.annotations, now: NOW };

describe("an absent target", () => {
  it("is created", () => {
    expect(assessValues(undefined, desiredOf(), CAREFUL)).toMatchObject({
      finding: "MISSING",
      action: "create",
      observed: "values",
      write: { changes: [{ field: "data.password", what: "added" }] },
    });
  });
});

describe("a target of the relay", () => {
  it("is not written when it is in order", () => {
    expect(assessValues(liveAfter(desiredOf()), desiredOf(), CAREFUL)).toMatchObject(IN_ORDER);
  });

  it.each<{ it: string; live: DesiredText; desired: DesiredText; want: string[] }>([
    {
      it: "gets a value that changed",
      live: { data: { password: "old" } },
      desired: { data: { password: "new" } },
      want: ["changed data.password"],
    },
    {
      it: "gets a value of another length",
      live: { data: { password: "old" } },
      desired: { data: { password: "longer" } },
      want: ["changed data.password"],
    },
    {
      it: "gets a new key",
      live: { data: { a: "1" } },
      desired: { data: { a: "1", "tls.crt": "2" } },
      want: ["added data.tls.crt"],
    },
    {
      it: "loses a key that the source no longer has",
      live: { data: { a: "1", b: "2" } },
      desired: { data: { a: "1" } },
      want: ["removed data.b"],
    },
    {
      it: "gets a label that the binding adds",
      live: {},
      desired: { labels: { team: "x" } },
      want: ["added metadata.labels.team"],
    },
    {
      it: "gets a label that changed",
      live: { labels: { team: "x" } },
      desired: { labels: { team: "y" } },
      want: ["changed metadata.labels.team"],
    },
    {
      it: "loses a label that the binding no longer has",
      live: { labels: { team: "x" } },
      desired: {},
      want: ["removed metadata.labels.team"],
    },
    {
      it: "gets an annotation that changed",
      live: { annotations: { note: "x" } },
      desired: { annotations: { note: "y" } },
      want: ["changed metadata.annotations.note"],
    },
    {
      it: "does not confuse a label with a property of every object",
      live: {},
      desired: { labels: { constructor: "x" } },
      want: ["added metadata.labels.constructor"],
    },
  ])("$it", ({ live, desired, want }) => {
    expect(changesOf(assessValues(liveAfter(desiredOf(live)), desiredOf(desired), CAREFUL))).toEqual(want);
  });

  it("gets back a deleted key", () => {
    const live = disowned(liveAfter(desiredOf()), "data.password");
    expect(changesOf(assessValues({ ...live, data: new Map() }, desiredOf(), CAREFUL))).toEqual([
      "added data.password",
    ]);
  });

  it("takes back a field that another manager wrote last, although its value is right", () => {
    const live = disowned(liveAfter(desiredOf()), "data.password");
    expect(changesOf(assessValues(live, desiredOf(), CAREFUL))).toEqual(["taken back data.password"]);
  });

  it("keeps the keys of other managers, and reports them", () => {
    const live = liveAfter(desiredOf());
    const others = parseManagedFields([
      { manager: "argocd", operation: "Apply", fieldsV1: { "f:data": { "f:theirs": {} } } },
    ]);
    const withTheirs: LiveSecret = {
      ...live,
      data: new Map([...live.data, ["theirs", SecretValue.fromText("x")]]),
      labels: { ...live.labels, theirs: "x" },
      managedFields: [...others, ...live.managedFields],
    };
    expect(assessValues(withTheirs, desiredOf(), CAREFUL)).toMatchObject({
      finding: "FOREIGN_KEYS",
      action: "none",
      details: { foreignKeys: [{ key: "theirs", manager: "argocd" }] },
    });
  });
});

describe("a target that the relay refuses to write", () => {
  const owner = (kind: string) => ({ controller: { kind, name: "its-owner" } });
  const esoLabel = { "reconcile.external-secrets.io/managed": "true" };

  it.each<{
    it: string;
    live: LiveSecret;
    desired?: DesiredText;
    adopt?: boolean;
    code: string;
    advice: RegExp;
  }>([
    {
      it: "was created by another client",
      live: foreignLive(desiredOf()),
      code: "TARGET_NOT_OURS",
      advice: /adopt: true/,
    },
    {
      it: "was created by an update under the relay's name, not by apply",
      live: {
        ...foreignLive(desiredOf()),
        managedFields: [{ manager: "secret-relay", operation: "Update", fields: new Set(["data.password"]) }],
      },
      code: "TARGET_NOT_OURS",
      advice: /adopt/,
    },
    {
      it: "is kept by External Secrets Operator",
      live: foreignLive(desiredOf(), { labels: esoLabel }),
      code: "TARGET_OWNED_BY_EXTERNAL_SECRETS",
      advice: /creationPolicy: Orphan/,
    },
    {
      it: "has an ExternalSecret as its owner, even with adopt",
      live: foreignLive(desiredOf(), owner("ExternalSecret")),
      adopt: true,
      code: "TARGET_OWNED_BY_CONTROLLER",
      advice:
        /^The owner of this Secret would overwrite the relay's changes\. Set creationPolicy: Orphan on ExternalSecret its-owner\.$/,
    },
    {
      it: "has an ExternalSecret as its owner, without adopt",
      live: foreignLive(desiredOf(), owner("ExternalSecret")),
      code: "TARGET_OWNED_BY_CONTROLLER",
      advice:
        /\. Set creationPolicy: Orphan on ExternalSecret its-owner, and set adopt: true on the binding\.$/,
    },
    {
      it: "has a controller as its owner",
      live: foreignLive(desiredOf(), owner("Certificate")),
      code: "TARGET_OWNED_BY_CONTROLLER",
      advice: /\. Make Certificate its-owner release the Secret, and set adopt: true on the binding\.$/,
    },
    {
      it: "got a controller as its owner after the relay created it",
      live: liveAfter(desiredOf(), owner("SealedSecret")),
      code: "TARGET_OWNED_BY_CONTROLLER",
      advice: /\. Make SealedSecret its-owner release the Secret\.$/,
    },
    {
      it: "has an owner with a kind that is a property of every object",
      live: liveAfter(desiredOf(), owner("constructor")),
      code: "TARGET_OWNED_BY_CONTROLLER",
      advice: /\. Make constructor its-owner release the Secret\.$/,
    },
    {
      it: "has another type",
      live: liveAfter(desiredOf()),
      desired: { type: "kubernetes.io/tls" },
      code: "TARGET_TYPE_DIFFERS",
      advice: /has type Opaque, the binding kubernetes\.io\/tls/,
    },
    {
      it: "has another type, even with adopt",
      live: foreignLive(desiredOf()),
      desired: { type: "kubernetes.io/tls" },
      adopt: true,
      code: "TARGET_TYPE_DIFFERS",
      advice: /delete the Secret/,
    },
    {
      it: "is immutable and its value changed",
      live: liveAfter(desiredOf({ data: { password: "old" } }), { immutable: true }),
      code: "TARGET_IMMUTABLE",
      advice: /recreates it/,
    },
    {
      it: "is immutable and lacks a key",
      live: liveAfter(desiredOf({ data: { other: "x" } }), { immutable: true }),
      code: "TARGET_IMMUTABLE",
      advice: /immutable/,
    },
    {
      it: "is being deleted",
      live: liveAfter(desiredOf(), { isBeingDeleted: true }),
      code: "TARGET_BEING_DELETED",
      advice: /finalizer/,
    },
    {
      it: "is being deleted, even with adopt",
      live: foreignLive(desiredOf(), { isBeingDeleted: true }),
      adopt: true,
      code: "TARGET_BEING_DELETED",
      advice: /finalizer/,
    },
  ])("because it $it is $code", ({ live, desired, adopt = false, code, advice }) => {
    const plan = assessValues(live, desiredOf(desired), { adopt });
    expect(plan).toMatchObject({ action: "refuse", code, advice: expect.stringMatching(advice) });
    expect(plan).not.toHaveProperty("write");
  });

  it.each<{ it: string; live: LiveSecret; desired?: DesiredText; adopt?: boolean; want: unknown }>([
    {
      it: "was created by another client and the binding adopts it",
      live: foreignLive(desiredOf({ data: { password: "old" } })),
      adopt: true,
      want: expect.arrayContaining(["changed data.password"]),
    },
    {
      it: "was left behind by External Secrets Operator and the binding adopts it",
      live: foreignLive(desiredOf(), { labels: esoLabel }),
      adopt: true,
      want: expect.arrayContaining([`added ${LABEL}`]),
    },
    {
      it: "is immutable, while only its labels changed",
      live: liveAfter(desiredOf(), { immutable: true }),
      desired: { labels: { team: "x" } },
      want: ["added metadata.labels.team"],
    },
    {
      it: "is immutable with the right values, adopted from another client",
      live: foreignLive(desiredOf(), { immutable: true }),
      adopt: true,
      want: expect.arrayContaining(["taken back data.password"]),
    },
  ])("is not one that $it", ({ live, desired, adopt = false, want }) => {
    expect(changesOf(assessValues(live, desiredOf(desired), { adopt }))).toEqual(want);
  });
});

describe("for any Secret", () => {
  const anyKey = fc.stringMatching(/^[a-zA-Z][-._a-zA-Z0-9]{0,12}$/);
  const anyMap = fc.dictionary(anyKey, fc.string({ maxLength: 8 }), { maxKeys: 5, noNullPrototype: true });
  const anyData = fc.dictionary(anyKey, fc.string({ maxLength: 8 }), {
    minKeys: 1, // the relay never renders an empty Secret
    maxKeys: 5,
    noNullPrototype: true,
  });
  const anyText: fc.Arbitrary<DesiredText> = fc.record({
    data: anyData,
    labels: anyMap,
    annotations: anyMap,
    type: fc.constantFrom("Opaque", "kubernetes.io/tls"),
  });

  it("the plan after an apply is empty", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, adopt) => {
        expect(assessValues(liveAfter(desiredOf(text)), desiredOf(text), { adopt })).toMatchObject(IN_ORDER);
      }),
    );
  });

  it("the plan for another Secret names exactly the data keys that differ", () => {
    fc.assert(
      fc.property(anyData, anyData, (before, after) => {
        const plan = assessValues(
          liveAfter(desiredOf({ data: before })),
          desiredOf({ data: after }),
          CAREFUL,
        );

        const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
        const differing = [...keys].filter((key) => before[key] !== after[key]);
        const named = (plan.write?.changes ?? []).map(({ field }) => field);
        expect(new Set(named)).toEqual(new Set(differing.map((key) => `data.${key}`)));
      }),
    );
  });

  it("the plan contains names and no values", () => {
    const live = liveAfter(desiredOf({ data: { password: `${CANARY}-old`, gone: CANARY } }));
    const plan = assessValues(live, desiredOf({ data: { password: CANARY, added: CANARY } }), CAREFUL);
    expect(JSON.stringify(plan)).not.toContain(CANARY);
    expect(changesOf(plan)).toEqual(["changed data.password", "added data.added", "removed data.gone"]);
  });
});

describe("the body of an apply", () => {
  it("has the resourceVersion and uid of the live object, so that no other object is written", () => {
    const body = applyBody(
      desiredOf(),
      liveAfter(desiredOf(), { uid: "uid-9", resourceVersion: "42" }),
      NOTES,
    );
    expect(body.metadata).toMatchObject({ uid: "uid-9", resourceVersion: "42" });
  });

  it("without a live object has a resourceVersion that no object has, so that it can only create", () => {
    const { metadata } = applyBody(desiredOf(), undefined, NOTES);
    expect(metadata).toMatchObject({ resourceVersion: "1" });
    expect(metadata).not.toHaveProperty("uid");
  });

  it("has every field that the relay owns", () => {
    const body = applyBody(desiredOf({ data: { "tls.crt": "pä" }, labels: { team: "x" } }), undefined, NOTES);
    expect(body).toMatchObject({
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      data: { "tls.crt": "cMOk" },
      metadata: {
        name: "db",
        namespace: "app",
        labels: { team: "x", [RELAY_METADATA.managedLabel]: RELAY_METADATA.identity },
        annotations: {
          "secret-relay/version-id": "version-1",
          "secret-relay/written-at": "2026-11-20T09:15:42.000Z",
        },
      },
    });
    expect(body.metadata).not.toHaveProperty("managedFields"); // the API server rejects it with 400
    expect(body).not.toHaveProperty("stringData");
  });
});

describe("an immutable Secret", () => {
  const frozen = { ...desiredOf(), isImmutable: true } as const;
  const ours = () => {
    const live = liveAfter(frozen, { immutable: true });
    const managedFields = live.managedFields.map((entry) => ({
      ...entry,
      fields: new Set([...entry.fields, "immutable"]),
    }));
    return { ...live, managedFields };
  };
  const changed = { ...desiredOf({ data: { password: "changed" } }), isImmutable: true } as const;

  it("in order is not written", () => {
    expect(assessValues(ours(), frozen, { adopt: false, immutable: "replace" })).toMatchObject(IN_ORDER);
  });

  it("is replaced only if the binding permits it and the relay created it", () => {
    const theirs = liveAfter(frozen, { immutable: true });

    expect(assessValues(ours(), changed, { adopt: false, immutable: "replace" })).toMatchObject({
      action: "replace",
      write: { changes: [{ field: "data.password", what: "changed" }] },
    });
    expect(assessValues(ours(), changed, { adopt: false, immutable: "refuse" })).toMatchObject({
      code: "TARGET_IMMUTABLE",
    });
    expect(assessValues(theirs, changed, { adopt: true, immutable: "replace" })).toMatchObject({
      code: "TARGET_IMMUTABLE",
    });
  });

  it("whose binding is no longer immutable is refused, because Kubernetes cannot undo it", () => {
    expect(assessValues(ours(), desiredOf(), CAREFUL)).toMatchObject({ code: "TARGET_IMMUTABLE" });
  });

  it("is made from a mutable one", () => {
    expect(assessValues(liveAfter(desiredOf()), frozen, { adopt: false, immutable: "refuse" })).toMatchObject(
      {
        action: "update",
        write: { changes: [{ field: "immutable", what: "added" }] },
      },
    );
  });
});

describe("a Secret with ownership: keys", () => {
  const shared = { adopt: false, ownership: "keys" } as const;

  it("is written although another client created it", () => {
    expect(
      assessValues(foreignLive(desiredOf({ data: { theirs: "x" } })), desiredOf(), shared),
    ).toMatchObject({
      action: "update",
      finding: "MISSING",
    });
  });

  it("is refused when a controller or External Secrets Operator would revert it", () => {
    const live = foreignLive(desiredOf());
    const eso = { ...live, labels: { "reconcile.external-secrets.io/managed": "true" } };
    const controlled = { ...live, controller: { kind: "App", name: "a" } };

    expect(assessValues(eso, desiredOf(), shared)).toMatchObject({
      code: "TARGET_OWNED_BY_EXTERNAL_SECRETS",
    });
    expect(assessValues(controlled, desiredOf(), shared)).toMatchObject({
      code: "TARGET_OWNED_BY_CONTROLLER",
    });
  });
});
