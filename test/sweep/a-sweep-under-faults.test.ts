import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { describe, expect, it } from "vitest";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { LASTING, REPAIRABLE } from "../harness/drifts.ts";
import { type Drift, expectedFindings, type Fleet, foundBy, inTurns, type Member } from "../harness/fleet.ts";
import { runs } from "../harness/property-runs.ts";
import type { TestSweeper } from "../harness/relay.ts";
import { unknownIn } from "../harness/rows.ts";
import { decodeData } from "../harness/scene.ts";
import { METADATA, sweeperOf, useSweepScene, VALUES } from "./sweep-scene.ts";

// Every fifth call to AWS and Kubernetes fails, in every possible way, and in every third group every second one. In
// every second group, reads of rotated sources are stale too. Each seed draws another mix of drift. The seeds of a group
// run in parallel, because they mostly wait. Ten take about 5 s.
const SEEDS = runs(8);
const GROUP = 4;

const scene = useSweepScene();

describe.for(Array.from({ length: Math.ceil(SEEDS / GROUP) }, (_, group) => group))(
  "while calls fail, in group %i of four seeds,",
  (group) => {
    it("all drift is repaired or reported, no deletion is wrong, and the next sweep repairs the rest", async () => {
      const runs = await Promise.all(Array.from({ length: GROUP }, (_, at) => prepare(group * GROUP + at)));
      const hasStaleReads = group % 2 === 1;

      disturb(group, group % 3 === 2 ? 0.5 : 0.2, hasStaleReads ? rotatedIn(runs) : []);
      const reports = await Promise.all(
        runs.map(({ sweeper, seed }) => sweeper.sweep(seed % 4 === 0 ? VALUES : METADATA)),
      );
      calm();

      for (const [at, report] of reports.entries()) {
        await expectNothingLost(runs[at] as Run, report, hasStaleReads);
      }
      await Promise.all(runs.map(expectAllRightAfterAnotherSweep));
    });
  },
);

type Run = {
  readonly seed: number;
  readonly fleet: Fleet;
  readonly sweeper: TestSweeper;
  readonly uidsBefore: ReadonlyMap<Member, string | undefined>;
};

async function prepare(seed: number): Promise<Run> {
  const random = randomFrom(seed);
  const kinds = [...REPAIRABLE, ...LASTING];
  const drifts = Array.from({ length: 4 + random(16) }, () => kinds[random(kinds.length)] as Drift);
  const fleet = await scene.openFleet({ size: drifts.length + random(16), perNamespace: 12, drifts });
  await fleet.drift();
  const sweeper = await sweeperOf(fleet, {
    override: () => ({ wait: async () => {} }),
    env: { DELETIONS_SHARE_MAX_PERCENT: "100" },
  });
  return { seed, fleet, sweeper, uidsBefore: await uidsOf(fleet) };
}

async function expectNothingLost(run: Run, report: SweepReport, hasStaleReads: boolean): Promise<void> {
  const { seed, fleet } = run;
  const bound = boundIn(fleet);
  expect(report.checked + unknownIn(report).length, `seed ${seed}`).toBe(bound.length);
  const overlooked = bound.filter(
    (member) => member.drift && !isNamed(report, member) && !(hasStaleReads && isRotation(member.drift)),
  );
  expect(
    overlooked.map(({ drift }) => drift?.name),
    `seed ${seed}`,
  ).toEqual([]);
  await expectNoWrongDeletion(run);
}

async function expectAllRightAfterAnotherSweep(run: Run): Promise<void> {
  const { seed, fleet, sweeper } = run;
  await sweeper.sweep(METADATA);
  const last = await sweeper.sweep(METADATA);
  expect(unknownIn(last), `seed ${seed}`).toEqual([]);
  expect(foundBy(last), `seed ${seed}`).toEqual(expectedFindings(fleet, (drift) => drift.again));
  await expectRepaired(fleet, seed);
  await expectNoWrongDeletion(run);
}

/** A fifth of the calls, split over all faults. Retry-After is zero, so that the test is fast. */
function disturb(seed: number, share: number, readStale: readonly string[]): void {
  const { aws, kubernetes } = scene.sandbox;
  const onAws = [
    { kind: "throttle" },
    { kind: "serverError" },
    { kind: "reset", when: "before" },
    { kind: "reset", when: "after" },
    ...readStale.map((secret) => ({ kind: "staleRead", match: { secret } }) as const),
  ] as const;
  const onKubernetes = [
    { kind: "throttle", retryAfterSeconds: 0 },
    { kind: "server-error", status: 500 },
    { kind: "server-error", status: 503 },
    { kind: "reset", when: "before" },
    { kind: "reset", when: "after" },
    { kind: "wrong-content" },
  ] as const;
  for (const [at, fault] of onAws.entries()) {
    aws.faults.add({ ...fault, probability: share / 5, seed: seed * 31 + at });
  }
  for (const [at, fault] of onKubernetes.entries()) {
    kubernetes.faults.add({ ...fault, probability: share / onKubernetes.length, seed: seed * 37 + at });
  }
}

function calm(): void {
  scene.sandbox.aws.faults.clear();
  scene.sandbox.kubernetes.faults.clear();
}

function boundIn({ members }: Fleet): Member[] {
  return members.filter(({ drift }) => !drift?.isUnbound);
}

/** An unchanged source has no stale state to return: it is older than the replica lag. */
function rotatedIn(runs: readonly Run[]): string[] {
  const members = runs.flatMap(({ fleet }) => fleet.members);
  return members.flatMap(({ source, drift }) => (drift && isRotation(drift) ? [source.name] : []));
}

/** A read from before the rotation shows no drift; the next sweep finds it. */
function isRotation({ code }: Drift): boolean {
  return code === "STALE" || code === "IMMUTABLE" || code === "UNRENDERABLE";
}

function isNamed({ targets }: SweepReport, { binding }: Member): boolean {
  return targets.some(({ name }) => name === binding.target.name);
}

async function uidsOf(fleet: Fleet): Promise<Map<Member, string | undefined>> {
  const uids = new Map<Member, string | undefined>();
  await inTurns(fleet.members, async (member) => {
    uids.set(member, (await fleet.readSecret(member))?.metadata.uid);
  });
  return uids;
}

/** An existing Secret is still the same one, unless its drift requires a deletion. */
async function expectNoWrongDeletion({ seed, fleet, uidsBefore }: Run): Promise<void> {
  const after = await uidsOf(fleet);
  for (const [member, uid] of uidsBefore) {
    if (uid === undefined || member.drift?.action === "deleted") continue;
    expect(after.get(member), `seed ${seed}: ${member.binding.target.name}, ${member.drift?.name}`).toBe(uid);
  }
}

async function expectRepaired(fleet: Fleet, seed: number): Promise<void> {
  await inTurns(boundIn(fleet), async (member) => {
    if (member.drift?.again !== undefined) return;
    const { SecretString = "" } = await fleet.secrets.send(
      new GetSecretValueCommand({ SecretId: member.source.arn }),
    );
    const secret = await fleet.readSecret(member);
    expect(decodeData(secret.data), `seed ${seed}`).toMatchObject(JSON.parse(SecretString));
  });
}

/** Whole numbers below the given one; mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
