import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { countOf } from "./counts.ts";
import { readOptions, UsageError } from "./options.ts";
import { openRunner, type Runner } from "./run-seeds.ts";

// Five virtual minutes checked against every rule, then four short runs with one mutation each, to show that the
// judges can fail a run. About 25 s on 2 quiet cores. test/long/chaos has the long runs and all mutations.

const TIMEOUT_MS = 120_000;
const WORLD = { backend: "sandbox", clusters: 3 } as const;
let before: readonly unknown[];
let run: Runner;

beforeAll(async () => {
  before = replaced();
  run = await openRunner("sandbox");
}, TIMEOUT_MS);

it("five minutes of chaos break no promise", { timeout: TIMEOUT_MS }, async () => {
  const result = await run({ ...WORLD, seed: 11, minutes: 5, rotations: 50, bindings: 26 });

  expect(result.violations).toEqual([]);
  expect(result.ok).toBe(true);
  // Otherwise nothing would have been checked.
  expect(DONE.filter((path) => !(countOf(result.counts, path) > 0))).toEqual([]);
});

const SHORT = { minutes: 2, rotations: 20, bindings: 12, seed: 1 };
// The first seed in which the race occurs.
const RACE = { minutes: 3, rotations: 40, bindings: 14, seed: 3 };
const mutations = [
  { mutation: "fence-off", rule: "order", size: RACE },
  { mutation: "failure-swallowed", rule: "promise", size: SHORT },
  { mutation: "ownership-by-label", rule: "bystander", size: SHORT },
  { mutation: "pointer-before-parts", rule: "publication", size: SHORT },
] as const;

it.each(mutations)(
  "a mutation is found: $mutation breaks the rule $rule",
  { timeout: TIMEOUT_MS },
  async ({ mutation, rule, size }) => {
    const { ok, violations } = await run({ ...WORLD, ...size, mutation });

    expect(violations.map((violation) => violation.rule)).toContain(rule);
    expect(ok).toBe(false);
  },
);

it("a run leaves the process as it found it", () => {
  const after = replaced();
  expect(after.map((thing, index) => thing === before[index])).toEqual(after.map(() => true));
});

it("a wrong command line is refused with the valid values", () => {
  expect(() => readOptions(["--seeds", "none"])).toThrow(UsageError);
  expect(() => readOptions(["--mutation", "a-tree"])).toThrow(/^--mutation must be one of fence-off, /);
});

const DONE = [
  ...["rotations", "rollbacks", "applies", "fenceConflicts", "scannedBytes", "bystanders"],
  ...["events.lost", "events.twice", "events.late", "kills.rotation", "clocks.skewedInvocations"],
  ...["staleReads", "apiServers.killed", "apiServers.requestsInOutage", "awsBrownouts"],
  ...["credentials.endedInUse", "exchanges.failed", "tampering", "sweeps.by metadata", "findings"],
  ...["publications.published", "publications.lostToAnother", "publications.killed", "changing.written"],
  ...["changing.goneOnWithoutS3", "changing.unknownRules", "changing.events.delivered"],
  ...["store.requestsInSilence", "changing.goneOnInSilence", "stacks.overAnEmptyBucket", "stacks.eventsGone"],
  ...["redriven.rotation", "holds.valid", "refusals.HELD", "ofSecondRelay", "shared", "sourcesDeleted"],
  ...["rollouts.started", "rollouts.finished", "rollouts.troubles", "followUps.received"],
];

/** Globals that a run replaces. */
function replaced(): readonly unknown[] {
  const timers = [
    globalThis.Date,
    globalThis.setTimeout,
    globalThis.clearTimeout,
    AbortSignal.timeout,
    AbortSignal.any,
    sleep,
  ];
  const requests = [http.request, https.request];
  const writes = [process.stdout.write, process.stderr.write];
  return [...timers, Math.random, ...requests, ...writes, JSON.stringify(Object.entries(process.env).sort())];
}
