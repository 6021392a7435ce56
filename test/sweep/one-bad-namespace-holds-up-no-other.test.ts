import { describe, expect, it } from "vitest";
import type { FaultKind, RequestSummary } from "../../sandbox/kubernetes/faults.ts";
import { REPAIRABLE } from "../harness/drifts.ts";
import { type Drift, expectedFindings, type Fleet, foundBy } from "../harness/fleet.ts";
import { unknownIn } from "../harness/rows.ts";
import { METADATA, sweeperOf, useSweepScene, VALUES } from "./sweep-scene.ts";

const scene = useSweepScene();

const CHANGED = REPAIRABLE.find(({ name }) => name === "a changed value") as Drift;
const BAD = 20;
const ALL = 150;

/** The first 20 Secrets are in one namespace and 130 in others; a value of each is changed. */
const openDrifted = async (): Promise<{ fleet: Fleet; bad: string }> => {
  const fleet = await scene.openFleet({
    size: ALL,
    perNamespace: BAD,
    drifts: Array.from({ length: ALL }, () => CHANGED),
  });
  await fleet.drift();
  return { fleet, bad: fleet.members[0]?.binding.target.namespace ?? "" };
};

const isIn = (namespace: string, fault: FaultKind, verbs: readonly string[]) => ({
  ...fault,
  match: (request: RequestSummary) => request.namespace === namespace && verbs.includes(request.verb),
});

const inOthers = ({ members }: Fleet, bad: string): string[] =>
  members.flatMap(({ binding: { target } }) => (target.namespace === bad ? [] : [target.name])).sort();

const writtenBy = (report: { targets: readonly { name: string; outcome?: string }[] }): string[] =>
  report.targets.flatMap(({ name, outcome }) => (outcome === "written" ? [name] : [])).sort();

type Row = { readonly it: string; readonly fault: FaultKind };

const modesOf = (row: Row) => (row === WRITES[0] || READS.includes(row) ? [METADATA, VALUES] : [METADATA]);

const WRITES: readonly Row[] = [
  {
    it: "fail, because its admission webhook does",
    fault: {
      kind: "refusal",
      status: 500,
      reason: "InternalError",
      message: 'Internal error occurred: failed calling webhook "checks.example.com": failed to call webhook',
    },
  },
  {
    it: "are denied with 429",
    fault: {
      kind: "refusal",
      status: 429,
      message: 'admission webhook "rates.example.com" denied the request: too many',
    },
  },
  {
    it: "exceed its quota",
    fault: {
      kind: "refusal",
      status: 403,
      reason: "Forbidden",
      message: 'secrets "db" is forbidden: exceeded quota: small, requested: count/secrets=1',
    },
  },
  { it: "answer 503", fault: { kind: "server-error", status: 503 } },
  { it: "time out on the server", fault: { kind: "server-error", status: 504 } },
];

describe.for(WRITES)("when the writes of one namespace $it,", (row) => {
  it.for(modesOf(row))("all others are repaired: %j", async (input) => {
    const { fleet, bad } = await openDrifted();
    const { faults } = scene.sandbox.kubernetes;
    faults.add(isIn(bad, row.fault, ["patch"]));
    // Several writes fail before the next read succeeds.
    faults.add({ kind: "latency", ms: 40, match: ({ verb }) => verb === "get" });
    const sweeper = await sweeperOf(fleet);

    const report = await sweeper.sweep(input);

    expect(writtenBy(report)).toEqual(inOthers(fleet, bad));
    expect(unknownIn(report)).toEqual([]);
  });
});

const READS: readonly Row[] = [
  { it: "fail with 500, as for Secrets that cannot be decrypted", fault: { kind: "server-error" } },
  {
    it: "are refused by RBAC",
    fault: {
      kind: "refusal",
      status: 403,
      reason: "Forbidden",
      message: 'secrets is forbidden: User "relay" cannot get resource "secrets" in API group ""',
    },
  },
];

describe.for(READS)("when the reads of one namespace $it,", (row) => {
  it.for(modesOf(row))("all others are repaired: %j", async (input) => {
    const { fleet, bad } = await openDrifted();
    scene.sandbox.kubernetes.faults.add(isIn(bad, row.fault, ["get", "list"]));
    const sweeper = await sweeperOf(fleet);

    const report = await sweeper.sweep(input);

    expect(writtenBy(report)).toEqual(inOthers(fleet, bad));
    expect(unknownIn(report)).toHaveLength(BAD);
  });
});

describe("when an API server answers 503 to all reads and then recovers,", () => {
  it.for([METADATA, VALUES])("later targets are checked and repaired: %j", async (input) => {
    const fleet = await scene.openFleet({ size: 120, perNamespace: 4, drifts: Array(120).fill(CHANGED) });
    await fleet.drift();
    scene.sandbox.kubernetes.faults.add({ kind: "server-error", status: 503, times: 36 });
    const sweeper = await sweeperOf(fleet);

    const report = await sweeper.sweep(input);

    const unknown = unknownIn(report).length;
    expect(unknown).toBeLessThan(60);
    expect(writtenBy(report)).toHaveLength(120 - unknown);
  });
});

it("a Secret that the webhook of its namespace does not select is repaired, after many that fail", async () => {
  const { fleet, bad } = await openDrifted();
  const last = fleet.members[BAD - 1]?.binding.target.name;
  scene.sandbox.kubernetes.faults.add({
    kind: "server-error",
    match: ({ namespace, name, verb }) => namespace === bad && verb === "patch" && name !== last,
  });
  const sweeper = await sweeperOf(fleet);

  const report = await sweeper.sweep(METADATA);

  expect(writtenBy(report)).toEqual([...inOthers(fleet, bad), last].sort());
  scene.sandbox.kubernetes.faults.clear();
  await sweeper.sweep(METADATA);
  expect(foundBy(await sweeper.sweep(METADATA))).toEqual(expectedFindings(fleet, () => undefined));
});
