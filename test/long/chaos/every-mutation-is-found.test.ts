import { beforeAll, expect, it } from "vitest";
import type { Rule } from "../../chaos/judge/violation.ts";
import { MUTATIONS, type MutationName } from "../../chaos/mutations.ts";
import { openRunner, type Runner } from "../../chaos/run-seeds.ts";
import type { ChaosSettings } from "../../chaos/settings.ts";
import { runChaos } from "./run-chaos.ts";

// Each mutation in runs of its own, with the promise that it must break, within a few seeds: a race missed by one
// seed occurs in the next. The same runs without a mutation must find nothing, or the others would prove nothing. All
// in this process, one after the other. About four minutes on 2 quiet cores.

const WORLD = { backend: "sandbox", clusters: 3 } as const;
const SMALL = { ...WORLD, minutes: 8, rotations: 70, bindings: 36 };
const LARGE = { ...WORLD, minutes: 20, rotations: 120, bindings: 40 };
const SEEDS_MAX = 5;

const BREAKS: Readonly<Record<MutationName, Rule>> = {
  "fence-off": "order",
  "create-unconditionally": "order",
  "versions-ordered": "order",
  "no-confirming-read": "order",
  "batch-errors-as-absence": "absence",
  "failure-swallowed": "promise",
  "token-kept-too-long": "token",
  "token-of-another-cluster": "token",
  "rollback-taken-for-a-repeat": "promise",
  "ownership-ignored": "bystander",
  "ownership-by-label": "bystander",
  "edit-not-repaired": "settled",
  "deletion-after-one-look": "deletion",
  "annotated-first": "annotation",
  "lost-on-redrive": "queue",
  "unknown-taken-for-in-force": "rules",
  "fingerprint-not-compared": "rules",
  "deletes-without-s3": "deletion",
  "superseded-ignored": "rules",
  "sweep-without-rules-check": "deletion",
  "pointer-before-live-secret": "rules",
  "generation-goes-back": "rules",
  "rules-of-the-start": "queue",
  "four-tries-for-the-pointer": "wait",
  "nothing-without-s3": "blocked",
  "pointer-before-parts": "publication",
  "pointer-replaced-unseen": "publication",
  "value-annotated": "leak",
  "value-logged": "leak",
  "restart-not-recorded": "restart",
  "restart-unfenced": "restart",
  "superseded-watch-restarts": "restart",
  "sweep-ignores-rollouts": "watch",
  "generation-ignored": "rollout",
  "stuck-followed-without-end": "watch",
};

/** Mutations that need more time or a rare race, with the first seed that is known to have it. */
const RARE: Partial<Readonly<Record<MutationName, Omit<ChaosSettings, "mutation">>>> = {
  "create-unconditionally": { ...LARGE, seed: 2 },
  "batch-errors-as-absence": { ...LARGE, seed: 1 },
  "token-kept-too-long": { ...LARGE, seed: 4 },
  "deletes-without-s3": { ...LARGE, seed: 20 },
  "pointer-before-live-secret": { ...SMALL, seed: 10 },
  "unknown-taken-for-in-force": { ...SMALL, seed: 4 },
};

let run: Runner;
beforeAll(async () => {
  run = await openRunner("sandbox");
});

it.each([
  { ...SMALL, seed: 1 },
  { ...LARGE, seed: 2 },
])("a run without a mutation finds nothing, in $minutes minutes", async (settings) => {
  const { ok, violations } = await run(settings);

  expect(violations).toEqual([]);
  expect(ok).toBe(true);
});

it.each(Object.keys(MUTATIONS) as MutationName[])("%s is found", async (mutation) => {
  const found = new Set<Rule>();
  const { seed: from, ...size } = RARE[mutation] ?? { ...SMALL, seed: 1 };
  for (let seed = from; seed < from + SEEDS_MAX && !found.has(BREAKS[mutation]); seed += 1) {
    const { ok, violations } = await run({ ...size, seed, mutation });
    for (const { rule } of violations) found.add(rule);
    expect(ok).toBe(violations.length === 0);
  }
  expect(found).toContain(BREAKS[mutation]);
});

it("the command exits with 1 and prints the replay command", async () => {
  const size = ["--minutes", "8", "--rotations", "70", "--bindings", "36"];
  const { code, summary, errors } = await runChaos([...size, "--seed", "1", "--mutation", "value-logged"]);

  expect(summary.runs.flatMap(({ violations }) => violations)).not.toEqual([]);
  expect(code).toBe(1);
  expect(errors).toContain("replay: npm run chaos -- --backend sandbox --seed 1 ");
});
