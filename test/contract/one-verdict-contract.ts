import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Backend } from "../harness/backend.ts";
import { startRelay, startSweeper } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { becameOf } from "../harness/rows.ts";
import { encodeData, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const FIRST = '{"user":"app","password":"canary-7f3a9c1e-first"}';
const SECOND = '{"user":"app","password":"canary-7f3a9c1e-second"}';

type Situation = {
  readonly scene: Scene;
  readonly source: TestSource;
  readonly ownMetadata: ReturnType<typeof relayMetadataOf>;
};

/** A Secret `db` in a state, and the verdict that every reader of it must come to. */
type Row = {
  readonly it: string;
  readonly rules?: object | ((source: TestSource) => object);
  /** The relay has no right on the Secret. */
  readonly isForbidden?: true;
  /** The binding as it was when the Secret was first written, where that differs; null when it never was. */
  readonly wasBoundAs?: object | null;
  readonly act?: (situation: Situation) => Promise<unknown>;
  readonly want: Partial<TargetRow>;
  /** Where values show more than metadata. */
  readonly byValues?: Partial<TargetRow>;
  /** How long a source must have been gone; a day if not stated. */
  readonly deletionGraceMs?: number;
};

const createForeign =
  (more: object = {}) =>
  ({ scene }: Situation) =>
    scene.createSecret("db", { password: "canary-7f3a9c1e-theirs" }, more);
const patch =
  (body: object, manager = "kubectl-edit") =>
  ({ scene }: Situation) =>
    scene.patchSecret("db", body, manager);
const rotate = ({ scene, source }: Situation) => scene.rotate(source, SECOND);
const rotateTo =
  (value: string) =>
  ({ scene, source }: Situation) =>
    scene.rotate(source, value);
const inTurn =
  (...acts: ((situation: Situation) => Promise<unknown>)[]) =>
  async (situation: Situation) => {
    for (const act of acts) await act(situation);
  };
const edit = patch({ data: encodeData({ password: "canary-7f3a9c1e-edited" }) });
const addKey = patch({ data: encodeData({ extra: "canary-7f3a9c1e-extra" }) });
const takeAll = ({ scene }: Situation) =>
  scene.applySecret("db", { data: encodeData({ user: "x", password: "y" }) }, "gitops");
const control = patch({
  metadata: {
    ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "u-1", controller: true }],
  },
});
const loseEntries = patch({ metadata: { managedFields: [{}] } });
const deleteSource = ({ scene, source }: Situation) => scene.deleteSource(source);
const hold = (situation: Situation) => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  return patch({ metadata: { annotations: { "secret-relay/hold-until": until } } })(situation);
};
const fight = ({ scene, ownMetadata }: Situation) => {
  const times = [30, 20, 10].map((minutes) => new Date(Date.now() - minutes * 60_000).toISOString());
  const metadata = { annotations: { [ownMetadata.annotations.takeBacks]: times.join(" ") } };
  return scene.patchSecret("db", { metadata }, ownMetadata.fieldManager);
};
const noteGone = ({ scene, ownMetadata }: Situation) => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const { writtenAt, goneSince } = ownMetadata.annotations;
  const metadata = { annotations: { [writtenAt]: daysAgo(3), [goneSince]: daysAgo(2) } };
  return scene.patchSecret("db", { metadata }, ownMetadata.fieldManager);
};
const labelOf = (label: string, identity: string) => patch({ metadata: { labels: { [label]: identity } } });

const ADOPT = [false, true];
const HELD = { action: "refuse", code: "HELD" } as const;

const ROWS: readonly Row[] = [
  { it: "in order", want: { finding: null, action: "none" } },
  ...ADOPT.flatMap((adopt): Row[] => [
    {
      it: `absent, adopt ${adopt}`,
      rules: { adopt },
      wasBoundAs: null,
      want: { finding: "MISSING", action: "create" },
    },
    {
      it: `rotated, adopt ${adopt}`,
      rules: { adopt },
      act: rotate,
      want: { finding: "STALE", action: "update" },
    },
    {
      it: `edited, adopt ${adopt}`,
      rules: { adopt },
      act: edit,
      want: { finding: "TAMPERED", action: "update" },
    },
    {
      it: `edited, then rotated, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(edit, rotate),
      want: { finding: "STALE", action: "update" },
    },
    {
      it: `a key removed, adopt ${adopt}`,
      rules: { adopt },
      act: patch({ data: { password: null } }),
      want: { finding: "TAMPERED", action: "update" },
    },
    {
      it: `the label removed, adopt ${adopt}`,
      rules: { adopt },
      act: ({ scene, ownMetadata }) =>
        scene.patchSecret("db", { metadata: { labels: { [ownMetadata.managedLabel]: null } } }),
      want: { finding: "TAMPERED", action: "update" },
    },
    {
      it: `taken over by force, adopt ${adopt}`,
      rules: { adopt },
      act: takeAll,
      want: { finding: "TAKEN_OVER", action: "update" },
    },
    {
      it: `without managedFields, adopt ${adopt}`,
      rules: { adopt },
      act: loseEntries,
      want: adopt
        ? { finding: "TAKEN_OVER", action: "update" }
        : { finding: "UNCLAIMED", action: "refuse", code: "TARGET_UNCLAIMED" },
    },
    {
      it: `foreign, adopt ${adopt}`,
      rules: { adopt },
      wasBoundAs: null,
      act: createForeign(),
      want: adopt
        ? { finding: "NOT_OURS", action: "update" }
        : { finding: "NOT_OURS", action: "refuse", code: "TARGET_NOT_OURS" },
    },
    {
      it: `of External Secrets Operator, adopt ${adopt}`,
      rules: { adopt },
      wasBoundAs: null,
      act: createForeign({ metadata: { labels: { "reconcile.external-secrets.io/managed": "true" } } }),
      want: adopt
        ? { finding: "NOT_OURS", action: "update" }
        : { finding: "NOT_OURS", action: "refuse", code: "TARGET_OWNED_BY_EXTERNAL_SECRETS" },
    },
    {
      it: `controlled, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(control, rotate),
      want: { finding: "OWNED_BY_CONTROLLER", action: "refuse", code: "TARGET_OWNED_BY_CONTROLLER" },
    },
    {
      it: `of another installation, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(labelOf("secret-relay/managed", "secret-relay.999988887777.eu-west-1"), rotate),
      want: {
        finding: "OWNED_BY_ANOTHER_RELAY",
        action: "refuse",
        code: "TARGET_OWNED_BY_ANOTHER_RELAY",
      },
    },
    {
      it: `of a relay of another name, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(labelOf("pay.secret-relay/managed", "pay.111122223333.eu-west-1"), rotate),
      want: {
        finding: "OWNED_BY_ANOTHER_RELAY",
        action: "refuse",
        code: "TARGET_OWNED_BY_ANOTHER_RELAY",
      },
    },
    {
      it: `another type, adopt ${adopt}`,
      rules: { adopt },
      wasBoundAs: null,
      act: createForeign({
        type: "kubernetes.io/basic-auth",
        data: encodeData({ username: "u", password: "p" }),
      }),
      want: adopt
        ? { finding: "TYPE_DIFFERS", action: "refuse", code: "TARGET_TYPE_DIFFERS" }
        : { finding: "NOT_OURS", action: "refuse", code: "TARGET_NOT_OURS" },
    },
    {
      it: `held by a finalizer, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(patch({ metadata: { finalizers: ["example.com/hold"] } }), ({ scene }) =>
        scene.deleteSecret("db"),
      ),
      want: { finding: "BEING_DELETED", action: "refuse", code: "TARGET_BEING_DELETED" },
    },
    {
      it: `contested, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(fight, edit),
      want: { finding: "TAMPERED", action: "refuse", code: "CONTESTED" },
    },
    {
      it: `contested and rotated, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(fight, edit, rotate),
      want: { finding: "STALE", action: "update" },
    },
    {
      it: `on hold and rotated, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(hold, rotate),
      want: { finding: "STALE", ...HELD },
    },
    {
      it: `on hold and edited, adopt ${adopt}`,
      rules: { adopt },
      act: inTurn(hold, edit),
      want: { finding: "TAMPERED", ...HELD },
    },
  ]),
  {
    it: "new rules",
    wasBoundAs: {},
    rules: { keys: { PASSWORD: "password" } },
    want: { finding: "FINGERPRINT_CHANGED", action: "update" },
  },
  {
    it: "a foreign key",
    act: addKey,
    want: { finding: "FOREIGN_KEYS", action: "none" },
  },
  {
    it: "a foreign key with foreignKeys: remove",
    rules: { foreignKeys: "remove" },
    act: addKey,
    want: { finding: "FOREIGN_KEYS", action: "update" },
  },
  {
    it: "a foreign key in a shared Secret",
    rules: { ownership: "keys" },
    act: addKey,
    want: { finding: null, action: "none" },
  },
  {
    it: "a shared Secret without the relay's keys",
    rules: { ownership: "keys" },
    wasBoundAs: null,
    act: ({ scene }) => scene.createSecret("db", { theirs: "canary-7f3a9c1e-theirs" }),
    want: { finding: "MISSING", action: "update" },
  },
  {
    it: "a shared Secret that already has a key of the relay",
    rules: { ownership: "keys" },
    wasBoundAs: null,
    act: createForeign(),
    want: { finding: "MISSING", action: "update" },
    byValues: { finding: "MISSING", action: "refuse", code: "FIELD_OWNED_BY_ANOTHER" },
  },
  {
    it: "a shared Secret that was edited",
    rules: { ownership: "keys" },
    act: edit,
    want: { finding: "TAMPERED", action: "update" },
  },
  {
    it: "immutable and in order",
    rules: { immutable: true, onChange: "refuse" },
    want: { finding: null, action: "none" },
  },
  {
    it: "immutable and rotated, onChange refuse",
    rules: { immutable: true, onChange: "refuse" },
    act: rotate,
    want: { finding: "IMMUTABLE", action: "refuse", code: "TARGET_IMMUTABLE" },
  },
  {
    it: "immutable and rotated, onChange replace",
    rules: { immutable: true, onChange: "replace" },
    act: rotate,
    want: { finding: "STALE", action: "replace" },
  },
  {
    it: "made immutable by another manager, and rotated",
    act: inTurn(patch({ immutable: true }), rotate),
    want: { finding: "IMMUTABLE", action: "refuse", code: "TARGET_IMMUTABLE" },
  },
  {
    it: "a value that does not fit the binding",
    act: rotateTo("canary-7f3a9c1e-no-json"),
    want: { finding: "STALE", action: "update" },
    byValues: { finding: "UNRENDERABLE", action: "refuse", code: "SOURCE_NOT_JSON_OBJECT" },
  },
  {
    it: "forged managedFields",
    act: async (situation) => {
      const { metadata } = await situation.scene.readSecret("db");
      await edit(situation);
      await patch({ metadata: { managedFields: metadata.managedFields } })(situation);
    },
    want: { finding: null, action: "none" },
    byValues: { finding: "VALUE_DIFFERS", action: "update" },
  },
  ...["retain", "delete"].flatMap((deletionPolicy): Row[] => [
    {
      it: `the source gone, deletionPolicy ${deletionPolicy}`,
      rules: { deletionPolicy },
      act: deleteSource,
      want:
        deletionPolicy === "delete"
          ? { finding: "SOURCE_MISSING", action: "none", deleteAfter: expect.any(String) }
          : { finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
    },
    {
      it: `the source gone for days, deletionPolicy ${deletionPolicy}`,
      rules: { deletionPolicy },
      act: inTurn(deleteSource, noteGone),
      want:
        deletionPolicy === "delete"
          ? { finding: "SOURCE_MISSING", action: "delete" }
          : { finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
    },
    {
      it: `the source scheduled for deletion, deletionPolicy ${deletionPolicy}`,
      rules: { deletionPolicy },
      act: inTurn(noteGone, ({ scene, source }) => scene.deleteSource(source, { isRestorable: true })),
      want: {
        finding: "SOURCE_SCHEDULED_FOR_DELETION",
        action: "refuse",
        code: "SOURCE_SCHEDULED_FOR_DELETION",
      },
    },
    {
      it: `no version under the label, deletionPolicy ${deletionPolicy}`,
      wasBoundAs: { deletionPolicy },
      rules: { deletionPolicy, stage: "NOWHERE" },
      act: noteGone,
      want: { finding: "VERSION_MISSING", action: "refuse", code: "VERSION_MISSING" },
    },
  ]),
  {
    it: "pinned to a version that has lost its labels",
    rules: ({ versionId }) => ({ versionId }),
    act: inTurn(rotate, rotateTo('{"user":"app","password":"canary-7f3a9c1e-third"}')),
    want: { finding: "VERSION_DEPRECATED", action: "none" },
  },
  {
    it: "a source that the relay must not read",
    isForbidden: true,
    wasBoundAs: null,
    want: { finding: null, action: "unknown", code: "CLUSTER_FORBIDDEN" },
  },
  {
    it: "the source gone for days, and on hold",
    rules: { deletionPolicy: "delete" },
    act: inTurn(deleteSource, noteGone, hold),
    want: { finding: "SOURCE_MISSING", ...HELD },
  },
  {
    it: "the source of a shared Secret gone for days",
    rules: { ownership: "keys" },
    act: inTurn(deleteSource, noteGone),
    want: { finding: "SOURCE_MISSING", action: "refuse", code: "SOURCE_MISSING" },
  },
];

/** What an act may become for each verdict; the sync of a rotation deletes nothing, and says why it does not write. */
const SWEEP_BECOMES: Readonly<Record<TargetRow["action"], readonly string[]>> = {
  none: ["none"],
  create: ["written"],
  update: ["written"],
  replace: ["written"],
  delete: ["deleted"],
  refuse: ["refuse", "refused"],
  unknown: ["unknown", "failed"],
};

/**
 * One verdict: a sweep and a rotation do exactly what a plan reports by metadata and by values. Each row is set up four
 * times in the same state, so that no action hides the next one.
 */
export function describeOneVerdictContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);

  const open = async (row: Row) => {
    const { scene } = at;
    const name = `prod/${randomUUID().slice(0, 8)}`;
    const source = await scene.createSource(name, FIRST);
    if (!row.isForbidden) {
      await scene.grant(["db"], { mayList: true });
      await scene.grantDelete(["db"]);
    }
    const rules = typeof row.rules === "function" ? row.rules(source) : (row.rules ?? {});
    const bindingOf = (rules: object) => [
      { source: name, targets: [{ namespace: scene.namespace, name: "db" }], ...rules },
    ];
    if (row.wasBoundAs !== null) {
      const bindings = bindingOf(row.wasBoundAs ?? rules);
      const [written] = (await (await startRelay(used.backend, { bindings })).invoke({ secretId: name }))
        .targets;
      expect(written?.outcome).toBe("written");
    }
    await row.act?.({ scene, source, ownMetadata: relayMetadataOf(used.backend) });
    return { name, bindings: bindingOf(rules) };
  };
  const rowsOf = async (bindings: readonly object[], input: object): Promise<readonly TargetRow[]> =>
    (await (await startSweeper(used.backend, { bindings })).sweep(input)).targets;
  const stateOf = async () => JSON.stringify(await at.scene.readSecret("db"));

  /** The verdict by metadata and by values, as plans; neither changes anything. */
  const expectVerdicts = async (row: Row, bindings: readonly object[]) => {
    const before = await stateOf();
    for (const [sweep, want] of [
      ["metadata", row.want],
      ["values", row.byValues ?? row.want],
    ] as const) {
      const [seen, ...others] = await rowsOf(bindings, { sweep, plan: true, inventory: true });
      const { namespace } = at.scene;
      expect(seen, sweep).toMatchObject({
        cluster: "main",
        namespace,
        name: "db",
        ...(row.isForbidden ? {} : { observed: sweep }),
        ...want,
      });
      expect(seen, sweep).not.toHaveProperty("outcome");
      expect(others).toEqual([]);
    }
    expect(await stateOf()).toBe(before);
  };

  describe.each(ROWS)("a Secret: $it", (row) => {
    it.each(["metadata", "values"] as const)("gets the planned action from a sweep by %s", async (sweep) => {
      const { bindings } = await open(row);
      await expectVerdicts(row, bindings);
      const before = await at.scene.readSecret("db");

      const [done] = await rowsOf(bindings, { sweep, inventory: true });

      const verdict = sweep === "values" ? { ...row.want, ...row.byValues } : row.want;
      // What only values show stops a write that metadata calls for.
      const isStopped = row.byValues?.action === "refuse" && sweep === "metadata";
      const { action = "none" } = verdict;
      const expected = isStopped ? ["refused"] : SWEEP_BECOMES[action];
      expect(done && becameOf(done), JSON.stringify(done)).toBeOneOf([...expected]);
      if (done?.action === "refuse" || isStopped)
        expect(done?.code).toBe(row.byValues?.code ?? row.want.code);
      await expectDone(done && becameOf(done), before);
      expect(await secondLook(bindings, row)).toBe(true);
    });

    it("gets the planned action from a rotation", async () => {
      const { name, bindings } = await open(row);
      const { action, code, finding } = { ...row.want, ...row.byValues };
      const before = await at.scene.readSecret("db");
      const relay = await startRelay(used.backend, { bindings });

      const [done] = (await relay.invoke({ secretId: name })).targets;

      const isGone = finding === "SOURCE_MISSING";
      if (action === "none" && !isGone) expect(done).toMatchObject({ outcome: "unchanged" });
      else if (action === "refuse" || action === "unknown" || isGone)
        expect(done).toMatchObject({ outcome: "refused" });
      else expect(done).toMatchObject({ outcome: "written" });
      if (action === "refuse" || action === "unknown") expect(done).toMatchObject({ code });
      await expectDone(done?.outcome, before);
    });
  });

  /** What was said to be done is what the cluster shows. */
  const expectDone = async (
    became: string | undefined,
    before: { metadata: { resourceVersion: string } },
  ) => {
    const after = await at.scene.readSecret("db");
    if (became === "deleted") return expect(after).toBeUndefined();
    if (became !== "written")
      return expect(after?.data).toEqual((before as unknown as { data?: object })?.data);
    expect(after.metadata.resourceVersion).not.toBe(before?.metadata.resourceVersion);
    expect(after.metadata.labels).toMatchObject({
      [relayMetadataOf(used.backend).managedLabel]: relayMetadataOf(used.backend).identity,
    });
  };

  /** After a write nothing is left to be done. */
  const secondLook = async (bindings: readonly object[], { want, byValues }: Row): Promise<boolean> => {
    const { action } = byValues ?? want;
    if (action !== "create" && action !== "update" && action !== "replace") return true;
    if (byValues !== undefined) return true; // metadata and values see different things by design
    for (const sweep of ["metadata", "values"]) {
      const [row] = await rowsOf(bindings, { sweep, plan: true, inventory: true });
      expect(row, sweep).toMatchObject({ action: "none" });
    }
    return true;
  };
}
