import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { describe, expect, it } from "vitest";
import { LASTING, mixDrifts, REPAIRABLE } from "../harness/drifts.ts";
import { expectedFindings, type Fleet, foundBy, inTurns } from "../harness/fleet.ts";
import { runs } from "../harness/property-runs.ts";
import { unknownIn } from "../harness/rows.ts";
import { decodeData } from "../harness/scene.ts";
import { METADATA, sweeperOf, useSweepScene, VALUES } from "./sweep-scene.ts";

const scene = useSweepScene();

const countFromHere = () => {
  const { aws, kubernetes } = scene.sandbox;
  aws.counters.reset();
  kubernetes.requests.reset();
  return {
    aws: aws.counters,
    kubernetes: kubernetes.requests,
    values: () => aws.counters.secretValuesServed + kubernetes.requests.secretValuesServed,
  };
};

/** Every Secret whose drift is gone holds what its source holds. */
const expectAllRight = (fleet: Fleet) =>
  inTurns(fleet.members, async (member) => {
    if (member.drift?.again !== undefined) return;
    const secret = await fleet.readSecret(member);
    if (member.drift?.action === "deleted") return expect(secret).toBeUndefined();
    const { SecretString = "" } = await fleet.secrets.send(
      new GetSecretValueCommand({ SecretId: member.source.arn }),
    );
    expect(decodeData(secret.data)).toMatchObject(JSON.parse(SecretString));
  });

/** 600 in `npm run test:long`. */
const SIZE = Math.min(runs(300), 600);

describe("among hundreds of bindings", () => {
  it("with 100 drifted in every possible way, each drift is found by its code and repaired if possible", async () => {
    const kinds = [...REPAIRABLE, ...LASTING];
    const fleet = await scene.openFleet({ size: SIZE, drifts: mixDrifts(kinds, 100) });
    const sweeper = await sweeperOf(fleet);
    expect((await sweeper.sweep({ ...METADATA, plan: true })).targets).toHaveLength(
      fleet.members.filter(({ drift }) => drift?.isUnbound || drift?.wasBoundAs).length,
    );
    await fleet.drift();

    const report = await sweeper.sweep(METADATA);

    expect(foundBy(report)).toEqual(expectedFindings(fleet));
    expect(unknownIn(report)).toEqual([]);
    const refusals = new Map(
      fleet.members.map(({ binding, drift }) => [binding.target.name, drift?.refusal]),
    );
    for (const { action, outcome, code, finding, name } of report.targets) {
      const isRefused = action === "refuse" || outcome === "refused";
      if (isRefused) expect(code).toBe(refusals.get(name) ?? finding);
    }
    await expectAllRight(fleet);
    const again = await sweeper.sweep(METADATA);
    expect(foundBy(again)).toEqual(expectedFindings(fleet, (drift) => drift.again));
  });

  it("with only repairable drift, a second sweep finds none, by metadata and by values", async () => {
    const fleet = await scene.openFleet({ size: SIZE, drifts: mixDrifts(REPAIRABLE, 100) });
    await fleet.drift();
    const sweeper = await sweeperOf(fleet);

    const report = await sweeper.sweep(METADATA);

    expect(foundBy(report)).toEqual(expectedFindings(fleet));
    expect(await sweeper.sweep(METADATA)).toMatchObject({ targets: [] });
    expect(await sweeper.sweep(VALUES)).toMatchObject({ targets: [] });
  });

  it("without drift, no value is read on either side, and few calls are made", async () => {
    const fleet = await scene.openFleet({ size: 600 });
    const sweeper = await sweeperOf(fleet);
    const counts = countFromHere();

    const report = await sweeper.sweep(METADATA);

    expect(report).toMatchObject({ bindings: 600, checked: 600, targets: [] });
    expect(counts.values()).toBe(0);
    expect(counts.aws.callsTotal).toBeLessThanOrEqual(8); // six pages, and a filtered page may be short
    expect(counts.kubernetes.all).toEqual({ "list secrets": 3 });
    expect(report.calls).toEqual({ aws: counts.aws.callsTotal, kubernetes: 3, throttles: 0 });
  });

  it("in one namespace, it is listed once, and its orphans are reported once", async () => {
    const orphan = LASTING.find(({ name }) => name === "an orphan whose binding said retain");
    if (orphan === undefined) throw new Error("Unknown drift");
    const fleet = await scene.openFleet({ size: 1_300, perNamespace: 2_000, drifts: [orphan] });
    const sweeper = await sweeperOf(fleet);
    const counts = countFromHere();

    const report = await sweeper.sweep(METADATA);

    expect(foundBy(report)).toEqual(expectedFindings(fleet));
    expect(counts.kubernetes.all).toEqual({ "list secrets": 3 }); // pages of 500
  });
});

describe("a list of sources that is minutes old", () => {
  it("is confirmed when it shows a stale Secret", async () => {
    const fleet = await scene.openFleet({ size: 40 });
    scene.passTime(4 * 60_000);
    const [kind] = REPAIRABLE;
    const [member] = fleet.members;
    if (kind === undefined || member === undefined) throw new Error("The fleet is empty");
    const sweeper = await sweeperOf(fleet, { now: scene.now });
    await kind.act(fleet, member);
    await sweeper.sweep(VALUES); // as after an event
    const { metadata: before } = await fleet.readSecret(member);
    scene.sandbox.aws.options.listStaleMs = 2 * 60_000;

    expect(await sweeper.sweep(METADATA)).toMatchObject({ checked: 40, targets: [] });
    expect((await fleet.readSecret(member)).metadata.resourceVersion).toBe(before.resourceVersion);
  });

  it("without the sources leads to a description of each, and to no deletion", async () => {
    scene.sandbox.aws.options.listStaleMs = 5 * 60_000;
    const rules = { deletionPolicy: "delete" } as const;
    const none = { name: "nothing", code: "STALE", action: "none", rules, act: async () => {} } as const;
    const fleet = await scene.openFleet({ size: 30, drifts: mixDrifts([none], 30) });
    const sweeper = await sweeperOf(fleet, { now: scene.now });
    expect(await sweeper.sweep(METADATA)).toMatchObject({ checked: 30, targets: [] });
  });

  it("has the same effect when it fails", async () => {
    const fleet = await scene.openFleet({ size: 30 });
    scene.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: "ListSecrets" } });
    const sweeper = await sweeperOf(fleet);
    expect(await sweeper.sweep(METADATA)).toMatchObject({ checked: 30, targets: [] });
  });
});
