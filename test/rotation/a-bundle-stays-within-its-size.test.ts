import { describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { metafileOf } from "../harness/build-function.ts";
import { outputsAtStart } from "./outputs-at-start.ts";

/**
 * The files that a start loads cost time at every cold start; client-node's models alone are 350 kB. The other files are
 * chunks loaded on first use, which only count towards the deployed package, so their limit is generous: removing unused
 * code from them saves less than 5 ms (docs/internals/performance.md, Build measures). RE2 for the expressions of
 * ExternalSecrets is 151 kB of them.
 */
const BYTES_MAX = {
  rotation: { total: 1_000_000, atStart: 395_000 },
  reconcile: { total: 1_020_000, atStart: 405_000 },
  webhook: { total: 650_000, atStart: 395_000 },
} as const;

describe.each(FUNCTIONS)("the bundle of %s", (name) => {
  const { total, atStart } = BYTES_MAX[name];

  it(`has at most ${total / 1_000} kB, including chunks loaded on first use`, async () => {
    const { outputs } = await metafileOf(name);
    expect(sumOf(Object.values(outputs).map(({ bytes }) => bytes))).toBeLessThanOrEqual(total);
  });

  it(`loads at most ${atStart / 1_000} kB at start`, async () => {
    const metafile = await metafileOf(name);
    const bytes = outputsAtStart(metafile).map((path) => metafile.outputs[path]?.bytes ?? 0);
    expect(sumOf(bytes)).toBeGreaterThan(100_000);
    expect(sumOf(bytes)).toBeLessThanOrEqual(atStart);
  });
});

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
